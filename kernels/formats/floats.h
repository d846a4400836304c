// F32, F16, BF16: weights as they are, times f32 activations.
// Panel, per column: the 16 rows' weights. No blocks: any number of columns; a panel is filled up to 64 bytes with zeros.
// The sum over the columns: products of 32 columns in ascending order by fma onto zero, these sums added up over 256 columns, and
// those in turn over the row.
#pragma once
#include "kernels/formats/format.h"

namespace mote::kernels {
namespace {

template <int kBytes> struct FloatFormat {
  static constexpr FormatLayout kLayout = {1, kBytes, 0, 16 * kBytes};

  static void pack_block(const uint8_t* weight, int row, uint8_t*, uint8_t* column) {
    __builtin_memcpy(column + kBytes * row, weight, kBytes);
  }
  static void unpack_block(const uint8_t*, const uint8_t* column, int row, uint8_t* weight) {
    __builtin_memcpy(weight, column + kBytes * row, kBytes);
  }
};

struct F32 : FloatFormat<4> {
  template <class P> static auto load(const uint8_t* p) { return P::load(reinterpret_cast<const float*>(p)); }
};
struct F16 : FloatFormat<2> {
  template <class P> static auto load(const uint8_t* p) { return P::load_f16(p); }
};
struct BF16 : FloatFormat<2> {
  template <class P> static auto load(const uint8_t* p) { return P::load_bf16(p); }
};

/// out: [kNT] rows of out_stride floats, 16 written in each. x: [kNT, x_stride]. Lines: const uint8_t* or LinesAhead.
template <class P, class Format, int kNT, class Lines>
NOINLINE void multiply_floats(Lines panel, int n_cols, const float* x, ptrdiff_t x_stride, float* out, size_t out_stride) {
  constexpr int kColumnBytes = Format::kLayout.plane_bytes, kColumnsInLine = 64 / kColumnBytes;
  typename P::F32 total[kNT];
  EACH_TOKEN(t) total[t] = P::zero();
  for (int block = 0; block < n_cols; block += 256) {
    const int block_end = block + 256 < n_cols ? block + 256 : n_cols;
    typename P::F32 sum[kNT];
    EACH_TOKEN(t) sum[t] = P::zero();
    for (int col = block; col < block_end;) {
      const int end = col + 32 < block_end ? col + 32 : block_end;
      typename P::F32 chain[kNT];
      EACH_TOKEN(t) chain[t] = P::zero();
      auto add_column = [&](const uint8_t* column) INLINE {
        const auto w = Format::template load<P>(column);
        EACH_TOKEN(t) chain[t] = P::fma(w, P::splat(x[t * x_stride + col]), chain[t]);
        ++col;
      };
      _Pragma("GCC unroll 2") for (; col + kColumnsInLine <= end; panel = panel + 64) {
        const uint8_t* line = line_with_hint(panel);
        _Pragma("GCC unroll 2") for (int i = 0; i < kColumnsInLine; ++i) add_column(line + i * kColumnBytes);
      }
      if (col < end) add_column(without_hint(panel)); // the last one of an odd number
      EACH_TOKEN(t) sum[t] = P::add(sum[t], chain[t]);
    }
    EACH_TOKEN(t) total[t] = P::add(total[t], sum[t]);
  }
  EACH_TOKEN(t) P::store(out + static_cast<size_t>(t) * out_stride, P::canonical_nan(total[t]));
}

} // namespace
} // namespace mote::kernels

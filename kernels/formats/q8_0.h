// Q8_0: 32 weights w = d * q, q int8.
// Panel, per 32 columns: header d f16[16]; 8 planes of signed codes as in the file, plane g = columns 4g .. 4g + 3.
#pragma once
#include "kernels/formats/format.h"

namespace mote::kernels {
namespace {

struct Q8_0 {
  static constexpr FormatLayout kLayout = {32, 34, 32, 512};

  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    copy_half(header + 2 * row, block);
    for (int g = 0; g < 8; ++g) store_word(planes + 64 * g + 4 * row, load_word(block + 2 + 4 * g));
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    copy_half(block, header + 2 * row);
    for (int g = 0; g < 8; ++g) store_word(block + 2 + 4 * g, load_word(planes + 64 * g + 4 * row));
  }

  static constexpr Expansion kExpansion = {Code::kS8, 0, false};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int b, Out& out) {
    out.d(b, P::load_f16(header));
    auto codes = [&](int g) INLINE { return P::template dot_operand<Code::kS8>(P::load_bytes(planes + 64 * g)); };
    for (int k = 0; k < 4; ++k) out.codes(b, k, codes(2 * k), codes(2 * k + 1));
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int b, typename P::F32 (&acc)[kNT]) {
    typename P::template Dot<Code::kS8> dot[kNT];
    EACH_TOKEN(t) dot[t] = P::template dot_start<Code::kS8>(act[t].neg_sum32[b]);
    _Pragma("GCC unroll 2") for (int quad = 0; quad < 2; ++quad) {
      typename P::Act q[kNT];
      EACH_TOKEN(t) q[t] = P::load_act(act[t].q + 32 * b + 16 * quad);
      four_groups([&]<int kGroup>() INLINE {
        const auto codes = P::template dot_operand<Code::kS8>(P::load_bytes(planes + 256 * quad + 64 * kGroup));
        EACH_TOKEN(t) P::template dot_add<Code::kS8, kGroup>(dot[t], codes, q[t]);
      });
    }
    add_block_32<P, Code::kS8>(P::load_f16(header), act, b, dot, acc);
  }
};

} // namespace
} // namespace mote::kernels

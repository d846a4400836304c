// Q5_0: 32 weights w = d * (code - 16). Q5_1: 32 weights w = d * code + m. Codes 0..31.
// Panel, per 32 columns: header d f16[16] (Q5_1: d f16[16], m f16[16]); five planes (five_planes.h).
#pragma once
#include "kernels/formats/five_planes.h"

namespace mote::kernels {
namespace {

struct Q5_0 {
  static constexpr FormatLayout kLayout = {32, 22, 32, 320};

  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    uint32_t codes[8];
    copy_half(header + 2 * row, block);
    codes_from_file(block + 2, block + 6, codes);
    pack_five_planes(codes, row, planes);
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    uint32_t codes[8];
    copy_half(block, header + 2 * row);
    unpack_five_planes(planes, row, codes);
    codes_to_file(codes, block + 2, block + 6);
  }

  static constexpr Expansion kExpansion = {Code::kU5Centred, 0, false};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int b, Out& out) {
    out.d(b, P::load_f16(header));
    expand_five_planes<P>(planes, b, out);
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int b, typename P::F32 (&acc)[kNT]) {
    typename P::template Dot<Code::kU5Centred> dot[kNT];
    dot_five_planes<P>(planes, act, b, dot);
    add_block_32<P, Code::kU5Centred>(P::load_f16(header), act, b, dot, acc);
  }
};

struct Q5_1 {
  static constexpr FormatLayout kLayout = {32, 24, 64, 320};

  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    uint32_t codes[8];
    copy_half(header + 2 * row, block);
    copy_half(header + 32 + 2 * row, block + 2);
    codes_from_file(block + 4, block + 8, codes);
    pack_five_planes(codes, row, planes);
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    uint32_t codes[8];
    copy_half(block, header + 2 * row);
    copy_half(block + 2, header + 32 + 2 * row);
    unpack_five_planes(planes, row, codes);
    codes_to_file(codes, block + 4, block + 8);
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int b, typename P::F32 (&acc)[kNT]) {
    typename P::template Dot<Code::kU5Centred> dot[kNT];
    dot_five_planes<P>(planes, act, b, dot);
    const auto d = P::load_f16(header);
    add_block_32<P, Code::kU5Centred>(d, act, b, dot, acc);
    const auto middle = P::fma(d, P::splat(16.0f), P::load_f16(header + 32)); // d * code + m = d * (code - 16) + (16 d + m)
    EACH_TOKEN(t) acc[t] = P::fma(middle, P::splat(act[t].sum[b]), acc[t]);
  }
};

} // namespace
} // namespace mote::kernels

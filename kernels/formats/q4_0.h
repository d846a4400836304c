// Q4_0: 32 weights w = d * (code - 8). Q4_1: 32 weights w = d * code + m. IQ4_NL: 32 weights w = d * table[code].
// Codes 0..15. Panel, per 32 columns: header d f16[16] (Q4_1: d f16[16], m f16[16]); four planes (nibbles.h).
#pragma once
#include "kernels/formats/nibbles.h"

namespace mote::kernels {
namespace {

struct Q4_0 {
  static constexpr FormatLayout kLayout = {32, 18, 32, 256};

  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    copy_half(header + 2 * row, block);
    pack_nibbles(block + 2, row, planes);
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    copy_half(block, header + 2 * row);
    unpack_nibbles(planes, row, block + 2);
  }

  static constexpr Expansion kExpansion = {Code::kU4Centred, 0, false};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int b, Out& out) {
    out.d(b, P::load_f16(header));
    expand_nibbles<P>(planes, b, out, [](typename P::Bytes code) INLINE { return code; });
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int b, typename P::F32 (&acc)[kNT]) {
    typename P::template Dot<Code::kU4Centred> dot[kNT];
    dot_nibbles<P, Code::kU4Centred>(planes, act, b, dot, [](typename P::Bytes code) INLINE { return code; });
    add_block_32<P, Code::kU4Centred>(P::load_f16(header), act, b, dot, acc);
  }
};

struct Q4_1 {
  static constexpr FormatLayout kLayout = {32, 20, 64, 256};

  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    copy_half(header + 2 * row, block);
    copy_half(header + 32 + 2 * row, block + 2);
    pack_nibbles(block + 4, row, planes);
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    copy_half(block, header + 2 * row);
    copy_half(block + 2, header + 32 + 2 * row);
    unpack_nibbles(planes, row, block + 4);
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int b, typename P::F32 (&acc)[kNT]) {
    typename P::template Dot<Code::kU4> dot[kNT];
    dot_nibbles<P, Code::kU4>(planes, act, b, dot, [](typename P::Bytes code) INLINE { return code; });
    add_block_32<P, Code::kU4>(P::load_f16(header), act, b, dot, acc);
    const auto m = P::load_f16(header + 32);
    EACH_TOKEN(t) acc[t] = P::fma(m, P::splat(act[t].sum[b]), acc[t]);
  }
};

struct IQ4_NL : Q4_0 {
  static constexpr Expansion kExpansion = {Code::kS8, 0, false};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int b, Out& out) {
    out.d(b, P::load_f16(header));
    expand_iq4<P>(planes, b, out);
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int b, typename P::F32 (&acc)[kNT]) {
    typename P::template Dot<Code::kS8> dot[kNT];
    dot_nibbles<P, Code::kS8>(planes, act, b, dot, [](typename P::Bytes code) INLINE {
      return P::template lookup<Code::kS8>(kIq4Values, code);
    });
    add_block_32<P, Code::kS8>(P::load_f16(header), act, b, dot, acc);
  }
};

} // namespace
} // namespace mote::kernels

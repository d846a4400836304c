// MXFP4: 32 weights w = 2^(e - 128) * E[code], E twice the value of a 4-bit float. Codes 0..15.
// Panel, per 32 columns: header e u8[16], four blocks in a line; four planes (nibbles.h).
// e = 0 and 1 are subnormal scales, exact; e = 255 is NaN, and so is every product with the block.
#pragma once
#include "kernels/formats/nibbles.h"

namespace mote::kernels {
namespace {

struct MXFP4 {
  static constexpr FormatLayout kLayout = {32, 17, 16, 256};
  alignas(16) static constexpr int8_t kValues[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0}; // E + 12

  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    header[row] = block[0];
    pack_nibbles(block + 1, row, planes);
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    block[0] = header[row];
    unpack_nibbles(planes, row, block + 1);
  }

  static constexpr Expansion kExpansion = {Code::kE2M1, 0, false};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int b, Out& out) {
    out.d(b, P::mul(P::load_e8m0(header), P::splat(0.5f)));
    expand_nibbles<P>(planes, b, out, [](typename P::Bytes code) INLINE { return P::template lookup<Code::kE2M1>(kValues, code); });
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int b, typename P::F32 (&acc)[kNT]) {
    typename P::template Dot<Code::kE2M1> dot[kNT];
    dot_nibbles<P, Code::kE2M1>(planes, act, b, dot, [](typename P::Bytes code) INLINE {
      return P::template lookup<Code::kE2M1>(kValues, code);
    });
    add_block_32<P, Code::kE2M1>(P::mul(P::load_e8m0(header), P::splat(0.5f)), act, b, dot, acc);
  }
};

} // namespace
} // namespace mote::kernels

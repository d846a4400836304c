// Q5_K: 256 weights in eight 32-blocks, w = d * S * code - dmin * M. Codes 0..31; S, M 0..63.
// Panel, per 256 columns: header and scale planes (scales_6bit.h), then five planes (five_planes.h) a 32-block.
#pragma once
#include "kernels/formats/five_planes.h"
#include "kernels/formats/scales_6bit.h"

namespace mote::kernels {
namespace {

struct Q5_K {
  static constexpr FormatLayout kLayout = {256, 176, 64, 2752};

  // The file: scales, then qh[32], bit b of byte l = fifth bit of weight 32b + l, then the nibbles as in Q4_K.
  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    pack_scales(block, row, header, planes);
    for (int b = 0; b < 8; ++b) {
      uint32_t codes[8];
      for (int g = 0; g < 8; ++g) {
        const uint32_t nibbles = load_word(block + 48 + 32 * (b / 2) + 4 * g) >> 4 * (b % 2) & 0x0f0f0f0f;
        codes[g] = nibbles | (load_word(block + 16 + 4 * g) >> b & 0x01010101) << 4;
      }
      pack_five_planes(codes, row, planes + 192 + 320 * b);
    }
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    unpack_scales(header, planes, row, block);
    uint32_t high[8] = {};
    for (int pair = 0; pair < 4; ++pair) {
      uint32_t low[8], up[8];
      unpack_five_planes(planes + 192 + 640 * pair, row, low);
      unpack_five_planes(planes + 192 + 640 * pair + 320, row, up);
      for (int g = 0; g < 8; ++g) {
        store_word(block + 48 + 32 * pair + 4 * g, (low[g] & 0x0f0f0f0f) | (up[g] & 0x0f0f0f0f) << 4);
        high[g] |= (low[g] >> 4 & 0x01010101) << 2 * pair | (up[g] >> 4 & 0x01010101) << (2 * pair + 1);
      }
    }
    for (int g = 0; g < 8; ++g) store_word(block + 16 + 4 * g, high[g]);
  }

  /// sum += activation scale * S * dot of the 32-block kBlock.
  template <class P, int kBlock, class Planes, int kNT>
  INLINE static void add_block(Planes planes, typename P::Bytes scales, Acts act, typename P::F32 (&sum)[kNT]) {
    constexpr int kFirstPart = P::template kDotGroups<Code::kU5>; // of the eight groups, the others go to a second dot product
    typename P::template Dot<Code::kU5> dot[kNT];
    typename P::Total total[kNT];
    typename P::Act q[2][kNT];
    EACH_TOKEN(t) {
      dot[t] = P::template dot_start<Code::kU5>(nullptr);
      q[0][t] = P::load_act(act[t].q + 32 * kBlock);
      q[1][t] = P::load_act(act[t].q + 32 * kBlock + 16);
    }
    const auto scale = P::template column<kBlock % 4>(scales);
    each_of_five_planes<P>(planes, [&]<int kOrder, int kGroup>(typename P::Bytes codes) INLINE {
      if constexpr (kOrder == kFirstPart) {
        EACH_TOKEN(t) {
          total[t] = P::template dot_scaled<Code::kU5>(dot[t], scale);
          dot[t] = P::template dot_start<Code::kU5>(nullptr);
        }
      }
      EACH_TOKEN(t) P::template dot_add<Code::kU5, kGroup % 4>(dot[t], codes, q[kGroup / 4][t]);
    });
    EACH_TOKEN(t) {
      if constexpr (kFirstPart < 8) total[t] = P::template dot_scaled_add<Code::kU5>(total[t], dot[t], scale);
      else total[t] = P::template dot_scaled<Code::kU5>(dot[t], scale);
      sum[t] = P::fma(P::to_f32(total[t]), P::splat(act[t].scale[kBlock]), sum[t]);
    }
  }

  static constexpr Expansion kExpansion = {Code::kU5, 1, true};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int, Out& out) {
    expand_scales<P>(header, planes, out);
    for (int b = 0; b < 8; ++b) expand_five_planes<P>(planes + 192 + 320 * b, b, out);
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int, typename P::F32 (&acc)[kNT]) {
    const auto scales = load_scales<P>(planes);
    subtract_mins<P>(P::load_f16(header + 32), scales.mins, act, acc);
    typename P::F32 sum[kNT];
    EACH_TOKEN(t) sum[t] = P::zero();
    four_groups([&]<int kPair>() INLINE {
      add_block<P, 2 * kPair>(planes + 192 + 640 * kPair, scales.scales[kPair / 2], act, sum);
      add_block<P, 2 * kPair + 1>(planes + 192 + 640 * kPair + 320, scales.scales[kPair / 2], act, sum);
    });
    const auto d = P::load_f16(header);
    EACH_TOKEN(t) acc[t] = P::fma(d, sum[t], acc[t]);
  }
};

} // namespace
} // namespace mote::kernels

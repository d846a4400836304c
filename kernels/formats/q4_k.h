// Q4_K: 256 weights in eight 32-blocks, w = d * S * code - dmin * M. Codes 0..15; S, M 0..63.
// Panel, per 256 columns: header and scale planes (scales_6bit.h), then for each pair p = 0..3 of 32-blocks eight code planes,
// plane g: low nibble = column 64p + 4g + k, high nibble = column 64p + 32 + 4g + k (the file's bytes).
#pragma once
#include "kernels/formats/scales_6bit.h"

namespace mote::kernels {
namespace {

struct Q4_K {
  static constexpr FormatLayout kLayout = {256, 144, 64, 2240};

  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    pack_scales(block, row, header, planes);
    for (int g = 0; g < 32; ++g) store_word(planes + 192 + 64 * g + 4 * row, load_word(block + 16 + 4 * g));
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    unpack_scales(header, planes, row, block);
    for (int g = 0; g < 32; ++g) store_word(block + 16 + 4 * g, load_word(planes + 192 + 64 * g + 4 * row));
  }

  /// One or both nibbles of the planes of a pair of 32-blocks.
  template <class P, int kPair, bool kLow, bool kHigh, class Planes, int kNT>
  INLINE static void add_pair(Planes planes, typename P::Bytes scales, Acts act, typename P::F32 (&sum)[kNT]) {
    using Dot = typename P::template Dot<Code::kU4>;
    Dot low[kNT], high[kNT];
    EACH_TOKEN(t) low[t] = high[t] = P::template dot_start<Code::kU4>(nullptr);
    _Pragma("GCC unroll 2") for (int quad = 0; quad < 2; ++quad) {
      typename P::Act act_low[kNT], act_high[kNT];
      EACH_TOKEN(t) {
        if constexpr (kLow) act_low[t] = P::load_act(act[t].q + 64 * kPair + 16 * quad);
        if constexpr (kHigh) act_high[t] = P::load_act(act[t].q + 64 * kPair + 16 * quad + 32);
      }
      four_groups([&]<int kGroup>() INLINE {
        const auto codes = P::load_bytes(planes + 512 * kPair + 256 * quad + 64 * kGroup);
        const auto code_low = P::template bits<0, 0x0f>(codes), code_high = P::high_nibble(codes);
        EACH_TOKEN(t) {
          if constexpr (kLow) P::template dot_add<Code::kU4, kGroup>(low[t], code_low, act_low[t]);
          if constexpr (kHigh) P::template dot_add<Code::kU4, kGroup>(high[t], code_high, act_high[t]);
        }
      });
    }
    const auto scale_low = P::template column<kPair % 2 * 2>(scales), scale_high = P::template column<kPair % 2 * 2 + 1>(scales);
    EACH_TOKEN(t) {
      if constexpr (kLow) {
        const auto dot = P::to_f32(P::template dot_scaled<Code::kU4>(low[t], scale_low));
        sum[t] = P::fma(dot, P::splat(act[t].scale[2 * kPair]), sum[t]);
      }
      if constexpr (kHigh) {
        const auto dot = P::to_f32(P::template dot_scaled<Code::kU4>(high[t], scale_high));
        const float& scale = P::kHighNibbleInPlace ? act[t].scale_16th[2 * kPair + 1] : act[t].scale[2 * kPair + 1];
        sum[t] = P::fma(dot, P::splat(scale), sum[t]);
      }
    }
    if constexpr (!kLow || !kHigh) FORGET_LOADS();
  }

  static constexpr Expansion kExpansion = {Code::kU4, 1, true};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int, Out& out) {
    expand_scales<P>(header, planes, out);
    for (int i = 0; i < 16; ++i) { // pair i / 4 of 32-blocks
      const auto even = P::load_bytes(planes + 192 + 128 * i), odd = P::load_bytes(planes + 256 + 128 * i);
      out.codes(i / 4 * 2, i % 4, P::template bits<0, 0x0f>(even), P::template bits<0, 0x0f>(odd));
      out.codes(i / 4 * 2 + 1, i % 4, P::template bits<4, 0x0f>(even), P::template bits<4, 0x0f>(odd));
    }
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int, typename P::F32 (&acc)[kNT]) {
    const auto scales = load_scales<P>(planes);
    subtract_mins<P>(P::load_f16(header + 32), scales.mins, act, acc);
    typename P::F32 sum[kNT];
    EACH_TOKEN(t) sum[t] = P::zero();
    four_groups([&]<int kPair>() INLINE {
      if constexpr (kNT == 1 || P::kCodesAtOnce > 1) {
        add_pair<P, kPair, true, true>(planes + 192, scales.scales[kPair / 2], act, sum);
      } else {
        add_pair<P, kPair, true, false>(planes + 192, scales.scales[kPair / 2], act, sum);
        add_pair<P, kPair, false, true>(without_hint(planes) + 192, scales.scales[kPair / 2], act, sum);
      }
    });
    const auto d = P::load_f16(header);
    EACH_TOKEN(t) acc[t] = P::fma(d, sum[t], acc[t]);
  }
};

} // namespace
} // namespace mote::kernels

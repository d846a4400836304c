// Q2_K: 256 weights in sixteen 16-blocks, w = d * S * code - dmin * M. Codes 0..3; S, M 0..15.
// Panel, per 256 columns: header d f16[16], dmin f16[16]; 4 planes of scales (plane i, byte 4*row + k = S | M << 4 of 16-block
// 4i + k); then a plane for each 16-block s: bits 2g, 2g + 1 = the code of column 16s + 4g + k, g = 0..3.
#pragma once
#include "kernels/formats/format.h"

namespace mote::kernels {
namespace {

struct Q2_K {
  static constexpr FormatLayout kLayout = {256, 84, 64, 1280};

  // The file: scales[16], qs[64], d, dmin. Bits 2j of byte 32h + l belong to weight 128h + 32j + l.
  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    copy_half(header + 2 * row, block + 80);
    copy_half(header + 32 + 2 * row, block + 82);
    for (int i = 0; i < 4; ++i) store_word(planes + 64 * i + 4 * row, load_word(block + 4 * i));
    for (int s = 0; s < 16; ++s) {
      uint32_t plane = 0;
      for (int g = 0; g < 4; ++g)
        plane |= (load_word(block + 16 + 32 * (s / 8) + 16 * (s % 2) + 4 * g) >> s / 2 % 4 * 2 & 0x03030303) << 2 * g;
      store_word(planes + 256 + 64 * s + 4 * row, plane);
    }
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    copy_half(block + 80, header + 2 * row);
    copy_half(block + 82, header + 32 + 2 * row);
    for (int i = 0; i < 4; ++i) store_word(block + 4 * i, load_word(planes + 64 * i + 4 * row));
    for (int i = 0; i < 16; ++i) { // word i of qs holds group i % 4 of the 16-blocks s = first, first + 2, + 4, + 6
      const int first = 8 * (i / 8) + i / 4 % 2;
      uint32_t word = 0;
      for (int j = 0; j < 4; ++j)
        word |= (load_word(planes + 256 + 64 * (first + 2 * j) + 4 * row) >> i % 4 * 2 & 0x03030303) << 2 * j;
      store_word(block + 16 + 4 * i, word);
    }
  }

  /// acc -= dmin * sum over the 16-blocks of M * sum(activations).
  template <class P, class Planes, int kNT>
  INLINE static void subtract_mins(typename P::F32 d_min, Planes scales, Acts act, typename P::F32 (&acc)[kNT]) {
    float sums[kNT][16];
    typename P::F32 sum[kNT];
    EACH_TOKEN(t) {
      P::store(sums[t], P::scaled_sums16(act[t].neg_sum16, act[t].scale));
      sum[t] = P::zero();
    }
    _Pragma("GCC unroll 4") for (int i = 0; i < 4; ++i) {
      const auto mins = P::template bits<4, 0x0f>(P::load_bytes(scales + 64 * i));
      four_groups([&]<int kColumn>() INLINE {
        const auto m = P::template column_f32<kColumn>(mins);
        EACH_TOKEN(t) sum[t] = P::fma(m, P::splat(sums[t][4 * i + kColumn]), sum[t]);
      });
    }
    EACH_TOKEN(t) acc[t] = P::fnma(d_min, sum[t], acc[t]);
  }

  /// total = S * dot of the 16-block 2b + kPart (added for kPart = 1), b a 32-block.
  template <class P, int kColumn, int kPart, class Planes, int kNT>
  INLINE static void add_sixteen(Planes plane, typename P::Bytes scales, Acts act, int b, typename P::Total (&total)[kNT]) {
    typename P::template Dot<Code::kU4> dot[kNT];
    typename P::Act q[kNT];
    EACH_TOKEN(t) {
      dot[t] = P::template dot_start<Code::kU4>(nullptr);
      q[t] = P::load_act(act[t].q + 32 * b + 16 * kPart);
    }
    const auto codes = P::load_bytes(plane);
    four_groups([&]<int kGroup>() INLINE {
      const auto code = P::template bits<2 * kGroup, 0x03>(codes);
      EACH_TOKEN(t) P::template dot_add<Code::kU4, kGroup>(dot[t], code, q[t]);
    });
    const auto scale = P::template column<kColumn>(scales);
    EACH_TOKEN(t) {
      if constexpr (kPart == 0) total[t] = P::template dot_scaled<Code::kU4>(dot[t], scale);
      else total[t] = P::template dot_scaled_add<Code::kU4>(total[t], dot[t], scale);
    }
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int, typename P::F32 (&acc)[kNT]) {
    subtract_mins<P>(P::load_f16(header + 32), planes, act, acc);
    typename P::F32 sum[kNT];
    EACH_TOKEN(t) sum[t] = P::zero();
    _Pragma("GCC unroll 1") for (int i = 0; i < 4; ++i) {
      const auto scales = P::template bits<0, 0x0f>(P::load_bytes(planes + 64 * i));
      auto block = [&]<int kHalf>() INLINE {
        const auto codes = planes + 256 + 256 * i + 128 * kHalf;
        const int b = 2 * i + kHalf;
        typename P::Total total[kNT];
        add_sixteen<P, 2 * kHalf, 0>(codes, scales, act, b, total);
        add_sixteen<P, 2 * kHalf + 1, 1>(codes + 64, scales, act, b, total);
        EACH_TOKEN(t) sum[t] = P::fma(P::to_f32(total[t]), P::splat(act[t].scale[b]), sum[t]);
      };
      block.template operator()<0>();
      block.template operator()<1>();
    }
    const auto d = P::load_f16(header);
    EACH_TOKEN(t) acc[t] = P::fma(d, sum[t], acc[t]);
  }
};

} // namespace
} // namespace mote::kernels

// Q6_K: 256 weights in sixteen 16-blocks, w = d * S * (code - 32). Codes 0..63; S int8.
// Panel, per 256 columns: header d f16[16]; 4 planes of scales (plane i, byte 4*row + k = S of 16-block 4i + k); then for each
// half h and group g three planes A B C for the codes cj of columns 128h + 32j + 4g + k: c0 c1 c2 in bits 0-5 of A B C,
// c3 = C[7:6] B[7:6] A[7:6].
#pragma once
#include "kernels/formats/format.h"

namespace mote::kernels {
namespace {

struct Q6_K {
  static constexpr FormatLayout kLayout = {256, 210, 32, 3328};
  static constexpr Code kU6 = Code::kU6Centred;

  // The file: ql[128], qh[64], S[16], d. Within a half: low nibbles of c0 c2 | c1 c3 in ql, top bits of c0..c3 in a byte of qh.
  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    copy_half(header + 2 * row, block + 208);
    for (int i = 0; i < 4; ++i) store_word(planes + 64 * i + 4 * row, load_word(block + 192 + 4 * i));
    for (int half = 0; half < 2; ++half)
      for (int g = 0; g < 8; ++g) {
        const uint32_t a = load_word(block + 64 * half + 4 * g), b = load_word(block + 64 * half + 32 + 4 * g);
        const uint32_t h = load_word(block + 128 + 32 * half + 4 * g);
        const uint32_t c0 = (a & 0x0f0f0f0f) | (h << 4 & 0x30303030), c1 = (b & 0x0f0f0f0f) | (h << 2 & 0x30303030);
        const uint32_t c2 = (a >> 4 & 0x0f0f0f0f) | (h & 0x30303030), c3 = (b >> 4 & 0x0f0f0f0f) | (h >> 2 & 0x30303030);
        uint8_t* out = planes + 256 + 192 * (8 * half + g) + 4 * row;
        store_word(out, c0 | (c3 << 6 & 0xc0c0c0c0));
        store_word(out + 64, c1 | (c3 << 4 & 0xc0c0c0c0));
        store_word(out + 128, c2 | (c3 << 2 & 0xc0c0c0c0));
      }
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    copy_half(block + 208, header + 2 * row);
    for (int i = 0; i < 4; ++i) store_word(block + 192 + 4 * i, load_word(planes + 64 * i + 4 * row));
    for (int i = 0; i < 16; ++i) {
      const int half = i / 8, g = i % 8;
      const uint8_t* in = planes + 256 + 192 * i + 4 * row;
      const uint32_t c0 = load_word(in), c1 = load_word(in + 64), c2 = load_word(in + 128);
      const uint32_t c3 = (c2 >> 2 & 0x30303030) | (c1 >> 4 & 0x0c0c0c0c) | (c0 >> 6 & 0x03030303);
      store_word(block + 64 * half + 4 * g, (c0 & 0x0f0f0f0f) | (c2 & 0x0f0f0f0f) << 4);
      store_word(block + 64 * half + 32 + 4 * g, (c1 & 0x0f0f0f0f) | (c3 & 0x0f0f0f0f) << 4);
      store_word(block + 128 + 32 * half + 4 * g, (c0 >> 4 & 0x03030303) | (c1 >> 2 & 0x0c0c0c0c) | (c2 & 0x30303030) |
                                                      (c3 << 2 & 0xc0c0c0c0));
    }
  }

  /// Columns 16 * kPart .. + 15 (one scale each) of the 32-blocks kFirst .. kFirst + kCount - 1 of a half, into total.
  template <class P, int kPart, int kFirst, int kCount, class Planes, int kNT>
  INLINE static void add_sixteens(Planes planes, const typename P::Bytes (&scales)[2], Acts act, int half,
                                  typename P::Total (&total)[4][kNT]) {
    using Bytes = typename P::Bytes;
    typename P::template Dot<kU6> dot[kCount][kNT];
    typename P::Act q[kCount][kNT];
    _Pragma("GCC unroll 4") for (int j = 0; j < kCount; ++j) EACH_TOKEN(t) {
      dot[j][t] = P::template dot_start<kU6>(act[t].neg_sum16[8 * half + 2 * (kFirst + j) + kPart]);
      q[j][t] = P::load_act(act[t].q + 128 * half + 32 * (kFirst + j) + 16 * kPart);
    }
    four_groups([&]<int kGroup>() INLINE {
      const auto p = planes + 192 * (4 * kPart + kGroup);
      const Bytes a = P::load_bytes(p), b = P::load_bytes(p + 64), c = P::load_bytes(p + 128);
      auto add = [&](int block, Bytes code) INLINE {
        const int j = block - kFirst;
        if (j >= 0 && j < kCount) EACH_TOKEN(t) P::template dot_add<kU6, kGroup>(dot[j][t], code, q[j][t]);
      };
      add(3, P::top_code6(a, b, c));
      add(0, P::template bits<0, 0x3f>(a));
      add(1, P::template bits<0, 0x3f>(b));
      add(2, P::template bits<0, 0x3f>(c));
    });
    four_groups([&]<int kBlock>() INLINE {
      if constexpr (kBlock >= kFirst && kBlock < kFirst + kCount) {
        const auto scale = P::template signed_column<kBlock % 2 * 2 + kPart>(scales[kBlock / 2]);
        EACH_TOKEN(t) {
          if constexpr (kPart == 0) total[kBlock][t] = P::template dot_scaled<kU6>(dot[kBlock - kFirst][t], scale);
          else total[kBlock][t] = P::template dot_scaled_add<kU6>(total[kBlock][t], dot[kBlock - kFirst][t], scale);
        }
      }
    });
    if constexpr (kCount < 4) FORGET_LOADS();
  }

  static constexpr Expansion kExpansion = {kU6, 2, false};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int, Out& out) {
    out.d_of_all(P::load_f16(header));
    for (int i = 0; i < 4; ++i) {
      const auto scales = P::load_bytes(planes + 64 * i);
      four_groups([&]<int kColumn>() INLINE { out.scale(4 * i + kColumn, P::template signed_column<kColumn>(scales)); });
    }
    for (int i = 0; i < 8; ++i) { // half i / 4 of the 32-blocks, eight columns of each
      const uint8_t* p = planes + 256 + 384 * i;
      const auto a0 = P::load_bytes(p), b0 = P::load_bytes(p + 64), c0 = P::load_bytes(p + 128);
      const auto a1 = P::load_bytes(p + 192), b1 = P::load_bytes(p + 256), c1 = P::load_bytes(p + 320);
      const int block = i / 4 * 4;
      out.codes(block, i % 4, P::template bits<0, 0x3f>(a0), P::template bits<0, 0x3f>(a1));
      out.codes(block + 1, i % 4, P::template bits<0, 0x3f>(b0), P::template bits<0, 0x3f>(b1));
      out.codes(block + 2, i % 4, P::template bits<0, 0x3f>(c0), P::template bits<0, 0x3f>(c1));
      out.codes(block + 3, i % 4, P::top_code6(a0, b0, c0), P::top_code6(a1, b1, c1));
    }
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int, typename P::F32 (&acc)[kNT]) {
    typename P::F32 sum[kNT];
    EACH_TOKEN(t) sum[t] = P::zero();
    for (int half = 0; half < 2; ++half) {
      const typename P::Bytes scales[2] = {P::load_bytes(planes + 128 * half), P::load_bytes(planes + 128 * half + 64)};
      const auto codes = planes + 256 + 1536 * half;
      typename P::Total total[4][kNT]; // of the four 32-blocks of this half
      constexpr int kAtOnce = kNT == 1 ? 4 : P::kCodesAtOnce;
      four_groups([&]<int kBlock>() INLINE {
        if constexpr (kBlock % kAtOnce == 0) {
          const auto lines = [&] {
            if constexpr (kBlock == 0) return codes;
            else return without_hint(codes);
          }();
          add_sixteens<P, 0, kBlock, kAtOnce>(lines, scales, act, half, total);
          add_sixteens<P, 1, kBlock, kAtOnce>(lines, scales, act, half, total);
          _Pragma("GCC unroll 4") for (int j = kBlock; j < kBlock + kAtOnce; ++j)
            EACH_TOKEN(t) sum[t] = P::fma(P::to_f32(total[j][t]), P::splat(act[t].scale[4 * half + j]), sum[t]);
        }
      });
    }
    const auto d = P::load_f16(header);
    EACH_TOKEN(t) acc[t] = P::fma(d, sum[t], acc[t]);
  }
};

} // namespace
} // namespace mote::kernels

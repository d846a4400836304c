// Q3_K: 256 weights in sixteen 16-blocks, w = d * (S - 32) * (code - 4). Codes 0..7; S 0..63.
// Panel, per 256 columns: header d f16[16]; scale planes SL0 SL1 SH, the file's bytes: SLi byte 4*row + k = low4(S) of 16-block
// 4i + k | low4(S) of 8 + 4i + k << 4; SH byte = top2 of S(k), S(4+k), S(8+k), S(12+k), from bit 0; then three planes A B C a
// 32-block for the codes c0 .. c7 of its groups (group g = columns 4g .. 4g + 3): A = c0 | c1 << 3, B = c2 | c3 << 3,
// C = c4 | c5 << 3, and in the top bits c6 = C[6] A[7:6], c7 = C[7] B[7:6] (high to low).
#pragma once
#include "kernels/formats/format.h"

namespace mote::kernels {
namespace {

struct Q3_K {
  static constexpr FormatLayout kLayout = {256, 110, 32, 1728};
  static constexpr Code kU3 = Code::kU3Centred;

  // The file: hmask[32], qs[64], scales[12], d. Weight 128h + 32j + l: low two bits at bit 2j of qs[32h + l], the third at bit
  // 4h + j of hmask[l].
  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    copy_half(header + 2 * row, block + 108);
    for (int i = 0; i < 3; ++i) store_word(planes + 64 * i + 4 * row, load_word(block + 96 + 4 * i));
    for (int b = 0; b < 8; ++b) {
      uint32_t c[8];
      for (int g = 0; g < 8; ++g) {
        const uint32_t low = load_word(block + 32 + 32 * (b / 4) + 4 * g) >> b % 4 * 2 & 0x03030303;
        c[g] = low | (load_word(block + 4 * g) >> b & 0x01010101) << 2;
      }
      uint8_t* out = planes + 192 + 192 * b + 4 * row;
      store_word(out, c[0] | c[1] << 3 | (c[6] & 0x03030303) << 6);
      store_word(out + 64, c[2] | c[3] << 3 | (c[7] & 0x03030303) << 6);
      store_word(out + 128, c[4] | c[5] << 3 | (c[6] & 0x04040404) << 4 | (c[7] & 0x04040404) << 5);
    }
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    copy_half(block + 108, header + 2 * row);
    for (int i = 0; i < 3; ++i) store_word(block + 96 + 4 * i, load_word(planes + 64 * i + 4 * row));
    uint32_t low[2][8] = {}, high[8] = {};
    for (int b = 0; b < 8; ++b) {
      const uint8_t* in = planes + 192 + 192 * b + 4 * row;
      const uint32_t p[3] = {load_word(in), load_word(in + 64), load_word(in + 128)};
      uint32_t c[8];
      for (int i = 0; i < 6; ++i) c[i] = p[i / 2] >> i % 2 * 3 & 0x07070707;
      c[6] = (p[0] >> 6 & 0x03030303) | (p[2] >> 4 & 0x04040404);
      c[7] = (p[1] >> 6 & 0x03030303) | (p[2] >> 5 & 0x04040404);
      for (int g = 0; g < 8; ++g) {
        low[b / 4][g] |= (c[g] & 0x03030303) << b % 4 * 2;
        high[g] |= (c[g] >> 2 & 0x01010101) << b;
      }
    }
    for (int g = 0; g < 8; ++g) {
      store_word(block + 4 * g, high[g]);
      store_word(block + 32 + 4 * g, low[0][g]);
      store_word(block + 64 + 4 * g, low[1][g]);
    }
  }

  /// S - 32 of the 16-blocks 4 * kI .. 4 * kI + 3.
  template <class P, int kI, class Planes> INLINE static typename P::Bytes load_scales(Planes planes) {
    const auto low = P::template bits<kI / 2 * 4, 0x0f>(P::load_bytes(planes + kI % 2 * 64));
    return P::template subtract<32>(P::template or_bits<2 * kI - 4, 0x30>(low, P::load_bytes(planes + 128)));
  }

  static constexpr Expansion kExpansion = {kU3, 2, false};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int, Out& out) {
    out.d_of_all(P::load_f16(header));
    four_groups([&]<int kI>() INLINE {
      const auto scales = load_scales<P, kI>(planes);
      four_groups([&]<int kColumn>() INLINE { out.scale(4 * kI + kColumn, P::template signed_column<kColumn>(scales)); });
    });
    for (int b = 0; b < 8; ++b) {
      const uint8_t* p = planes + 192 + 192 * b;
      const auto p0 = P::load_bytes(p), p1 = P::load_bytes(p + 64), p2 = P::load_bytes(p + 128);
      out.codes(b, 0, P::template bits<0, 0x07>(p0), P::template bits<3, 0x07>(p0));
      out.codes(b, 1, P::template bits<0, 0x07>(p1), P::template bits<3, 0x07>(p1));
      out.codes(b, 2, P::template bits<0, 0x07>(p2), P::template bits<3, 0x07>(p2));
      out.codes(b, 3, P::template or_bits<4, 0x04>(P::template bits<6, 0x03>(p0), p2),
                P::template or_bits<5, 0x04>(P::template bits<6, 0x03>(p1), p2));
    }
  }

  /// sum += activation scale * (S - 32) * dot of a 32-block, both of its halves. scales: S - 32 at bytes kColumn and kColumn + 1.
  template <class P, int kColumn, class Planes, int kNT>
  INLINE static void add_block(Planes planes, typename P::Bytes scales, Acts act, int b, typename P::F32 (&sum)[kNT]) {
    using Bytes = typename P::Bytes;
    typename P::template Dot<kU3> dot[2][kNT];
    typename P::Act q[2][kNT];
    for (int part = 0; part < 2; ++part) EACH_TOKEN(t) {
      dot[part][t] = P::template dot_start<kU3>(act[t].neg_sum16[2 * b + part]);
      q[part][t] = P::load_act(act[t].q + 32 * b + 16 * part);
    }
    auto add = [&]<int kGroup>(Bytes codes) INLINE {
      EACH_TOKEN(t) P::template dot_add<kU3, kGroup % 4>(dot[kGroup / 4][t], codes, q[kGroup / 4][t]);
    };
    const Bytes p0 = P::load_bytes(planes), p1 = P::load_bytes(planes + 64), p2 = P::load_bytes(planes + 128);
    add.template operator()<0>(P::template bits<0, 0x07>(p0));
    add.template operator()<1>(P::template bits<3, 0x07>(p0));
    add.template operator()<2>(P::template bits<0, 0x07>(p1));
    add.template operator()<3>(P::template bits<3, 0x07>(p1));
    add.template operator()<4>(P::template bits<0, 0x07>(p2));
    add.template operator()<5>(P::template bits<3, 0x07>(p2));
    add.template operator()<6>(P::template or_bits<4, 0x04>(P::template bits<6, 0x03>(p0), p2));
    add.template operator()<7>(P::template or_bits<5, 0x04>(P::template bits<6, 0x03>(p1), p2));
    const auto scale0 = P::template signed_column<kColumn>(scales), scale1 = P::template signed_column<kColumn + 1>(scales);
    EACH_TOKEN(t) {
      const auto total = P::template dot_scaled_add<kU3>(P::template dot_scaled<kU3>(dot[0][t], scale0), dot[1][t], scale1);
      sum[t] = P::fma(P::to_f32(total), P::splat(act[t].scale[b]), sum[t]);
    }
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int, typename P::F32 (&acc)[kNT]) {
    typename P::F32 sum[kNT];
    EACH_TOKEN(t) sum[t] = P::zero();
    four_groups([&]<int kI>() INLINE { // 16-blocks 4i .. 4i + 3
      const auto scales = load_scales<P, kI>(planes);
      const auto codes = planes + 192 + 384 * kI;
      add_block<P, 0>(codes, scales, act, 2 * kI, sum);
      add_block<P, 2>(codes + 192, scales, act, 2 * kI + 1, sum);
    });
    const auto d = P::load_f16(header);
    EACH_TOKEN(t) acc[t] = P::fma(d, sum[t], acc[t]);
  }
};

} // namespace
} // namespace mote::kernels

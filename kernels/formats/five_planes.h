// 32 five-bit codes of each row in five planes: shared by Q5_0, Q5_1 and Q5_K.
// Planes B0 .. B4 hold the codes c0 .. c7 of the column groups 0 .. 7 (group g = columns 4g .. 4g + 3): c0 .. c4 in bits 0-4 of
// B0 .. B4; the top bits hold c5 = B0[7:5] B1[6:5], c6 = B2[7:5] B3[6:5], c7 = B4[7:5] B1[7] B3[7] (high to low).
#pragma once
#include "kernels/formats/format.h"

namespace mote::kernels {
namespace {

/// c: the eight codes, four columns in each word.
inline void pack_five_planes(const uint32_t (&c)[8], int row, uint8_t* planes) {
  uint8_t* out = planes + 4 * row;
  store_word(out, c[0] | (c[5] << 3 & 0xe0e0e0e0));
  store_word(out + 64, c[1] | (c[5] << 5 & 0x60606060) | (c[7] << 6 & 0x80808080));
  store_word(out + 128, c[2] | (c[6] << 3 & 0xe0e0e0e0));
  store_word(out + 192, c[3] | (c[6] << 5 & 0x60606060) | (c[7] << 7 & 0x80808080));
  store_word(out + 256, c[4] | (c[7] << 3 & 0xe0e0e0e0));
}

inline void unpack_five_planes(const uint8_t* planes, int row, uint32_t (&c)[8]) {
  uint32_t b[5];
  for (int i = 0; i < 5; ++i) b[i] = load_word(planes + 64 * i + 4 * row);
  for (int i = 0; i < 5; ++i) c[i] = b[i] & 0x1f1f1f1f;
  c[5] = (b[0] >> 3 & 0x1c1c1c1c) | (b[1] >> 5 & 0x03030303);
  c[6] = (b[2] >> 3 & 0x1c1c1c1c) | (b[3] >> 5 & 0x03030303);
  c[7] = (b[4] >> 3 & 0x1c1c1c1c) | (b[1] >> 6 & 0x02020202) | (b[3] >> 7 & 0x01010101);
}

/// Calls add<kOrder, kGroup>(codes) for the eight groups, kOrder = 0 .. 7 in the order of unpacking.
template <class P, class Planes, class Add> INLINE inline void each_of_five_planes(Planes planes, Add add) {
  const auto b0 = P::load_bytes(planes), b1 = P::load_bytes(planes + 64), b2 = P::load_bytes(planes + 128);
  add.template operator()<0, 0>(P::template bits<0, 0x1f>(b0));
  add.template operator()<1, 1>(P::template bits<0, 0x1f>(b1));
  add.template operator()<2, 5>(P::top_code5(b0, b1));
  const auto b3 = P::load_bytes(planes + 192), b4 = P::load_bytes(planes + 256);
  add.template operator()<3, 2>(P::template bits<0, 0x1f>(b2));
  add.template operator()<4, 3>(P::template bits<0, 0x1f>(b3));
  add.template operator()<5, 6>(P::top_code5(b2, b3));
  add.template operator()<6, 4>(P::template bits<0, 0x1f>(b4));
  add.template operator()<7, 7>(P::top_code5(b4, b1, b3));
}

template <class P, class Out> INLINE inline void expand_five_planes(const uint8_t* planes, int b, Out& out) {
  typename P::Bytes c[8];
  each_of_five_planes<P>(planes, [&]<int, int kGroup>(typename P::Bytes codes) INLINE { c[kGroup] = codes; });
  _Pragma("GCC unroll 4") for (int k = 0; k < 4; ++k) out.codes(b, k, c[2 * k], c[2 * k + 1]);
}

/// The products of 32 columns of centred five-bit codes.
template <class P, class Planes, int kNT>
INLINE inline void dot_five_planes(Planes planes, Acts act, int b,
                                   typename P::template Dot<Code::kU5Centred> (&dot)[kNT]) {
  typename P::Act q[2][kNT];
  EACH_TOKEN(t) {
    dot[t] = P::template dot_start<Code::kU5Centred>(act[t].neg_sum32[b]);
    q[0][t] = P::load_act(act[t].q + 32 * b);
    q[1][t] = P::load_act(act[t].q + 32 * b + 16);
  }
  each_of_five_planes<P>(planes, [&]<int kOrder, int kGroup>(typename P::Bytes codes) INLINE {
    EACH_TOKEN(t) P::template dot_add<Code::kU5Centred, kGroup % 4>(dot[t], codes, q[kGroup / 4][t]);
  });
}

/// The fifth bits of four columns, bits 0-3 of x, as bit 4 of the bytes of a word, and back.
inline uint32_t spread_fifth_bits(uint32_t x) { return ((x & 15) * 0x00204081u & 0x01010101u) << 4; }
inline uint32_t gather_fifth_bits(uint32_t codes) { return ((codes >> 4 & 0x01010101u) * 0x01020408u) >> 24; }

/// qh: bit i is the fifth bit of weight i; qs[16]: byte i holds weight i in its low, weight 16 + i in its high nibble.
inline void codes_from_file(const uint8_t* qh, const uint8_t* qs, uint32_t (&c)[8]) {
  const uint32_t high = load_word(qh);
  for (int g = 0; g < 8; ++g) {
    const uint32_t nibbles = load_word(qs + 4 * (g & 3)) >> (g < 4 ? 0 : 4) & 0x0f0f0f0f;
    c[g] = nibbles | spread_fifth_bits(high >> 4 * g);
  }
}
inline void codes_to_file(const uint32_t (&c)[8], uint8_t* qh, uint8_t* qs) {
  uint32_t high = 0;
  for (int g = 0; g < 8; ++g) high |= gather_fifth_bits(c[g]) << 4 * g;
  store_word(qh, high);
  for (int g = 0; g < 4; ++g) store_word(qs + 4 * g, (c[g] & 0x0f0f0f0f) | (c[g + 4] & 0x0f0f0f0f) << 4);
}

} // namespace
} // namespace mote::kernels

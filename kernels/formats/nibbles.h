// 32 four-bit codes of each row in four planes, the file's bytes: shared by Q4_0, Q4_1, IQ4_NL, IQ4_XS and MXFP4.
// Plane g holds columns 4g .. 4g + 3 in the low and columns 16 + 4g .. 16 + 4g + 3 in the high nibbles.
#pragma once
#include "kernels/formats/format.h"

namespace mote::kernels {
namespace {

inline void pack_nibbles(const uint8_t* qs, int row, uint8_t* planes) {
  for (int g = 0; g < 4; ++g) store_word(planes + 64 * g + 4 * row, load_word(qs + 4 * g));
}
inline void unpack_nibbles(const uint8_t* planes, int row, uint8_t* qs) {
  for (int g = 0; g < 4; ++g) store_word(qs + 4 * g, load_word(planes + 64 * g + 4 * row));
}

/// The products of 32 columns. decode: nibbles -> operand of the dot product.
template <class P, Code kCode, class Planes, int kNT, class Decode>
INLINE inline void dot_nibbles(Planes planes, Acts act, int b, typename P::template Dot<kCode> (&dot)[kNT],
                               Decode decode) {
  typename P::Act q[2][kNT];
  EACH_TOKEN(t) {
    dot[t] = P::template dot_start<kCode>(act[t].neg_sum32[b]);
    q[0][t] = P::load_act(act[t].q + 32 * b);
    q[1][t] = P::load_act(act[t].q + 32 * b + 16);
  }
  four_groups([&]<int kGroup>() INLINE {
    const auto bytes = P::load_bytes(planes + 64 * kGroup);
    const auto low = decode(P::template bits<0, 0x0f>(bytes));
    EACH_TOKEN(t) P::template dot_add<kCode, kGroup>(dot[t], low, q[0][t]);
    const auto high = decode(P::template bits<4, 0x0f>(bytes));
    EACH_TOKEN(t) P::template dot_add<kCode, kGroup>(dot[t], high, q[1][t]);
  });
}

/// 32 codes into out. decode: as above.
template <class P, class Out, class Decode>
INLINE inline void expand_nibbles(const uint8_t* planes, int b, Out& out, Decode decode) {
  for (int k = 0; k < 2; ++k) {
    const auto even = P::load_bytes(planes + 128 * k), odd = P::load_bytes(planes + 128 * k + 64);
    out.codes(b, k, decode(P::template bits<0, 0x0f>(even)), decode(P::template bits<0, 0x0f>(odd)));
    out.codes(b, k + 2, decode(P::template bits<4, 0x0f>(even)), decode(P::template bits<4, 0x0f>(odd)));
  }
}

/// What the codes of IQ4_NL and IQ4_XS stand for.
alignas(16) constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

template <class P, class Out> INLINE inline void expand_iq4(const uint8_t* planes, int b, Out& out) {
  expand_nibbles<P>(planes, b, out, [](typename P::Bytes code) INLINE { return P::template lookup<Code::kS8>(kIq4Values, code); });
}

} // namespace
} // namespace mote::kernels

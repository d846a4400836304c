// The scales S and minima M of Q4_K and Q5_K: eight of each per row and 256 columns, 6 bits wide, in three planes SL0 SL1 SH.
// SLi byte 4*row + k = low4(S) | low4(M) << 4 of 32-block 4i + k; SH byte = top2 of S(k), S(4+k), M(k), M(4+k), from bit 0.
// The header in front is d f16[16], dmin f16[16].
#pragma once
#include "kernels/formats/format.h"

namespace mote::kernels {
namespace {

/// from: d, dmin f16, then 12 bytes of scales, as both formats have them.
inline void pack_scales(const uint8_t* from, int row, uint8_t* header, uint8_t* planes) {
  copy_half(header + 2 * row, from);
  copy_half(header + 32 + 2 * row, from + 2);
  const uint32_t a = load_word(from + 4), c = load_word(from + 8), e = load_word(from + 12);
  const uint32_t s0 = a & 0x3f3f3f3f, s1 = (e & 0x0f0f0f0f) | (a >> 2 & 0x30303030);
  const uint32_t m0 = c & 0x3f3f3f3f, m1 = (e >> 4 & 0x0f0f0f0f) | (c >> 2 & 0x30303030);
  store_word(planes + 4 * row, (s0 & 0x0f0f0f0f) | (m0 & 0x0f0f0f0f) << 4);
  store_word(planes + 64 + 4 * row, (s1 & 0x0f0f0f0f) | (m1 & 0x0f0f0f0f) << 4);
  store_word(planes + 128 + 4 * row,
             (s0 & 0x30303030) >> 4 | (s1 & 0x30303030) >> 2 | (m0 & 0x30303030) | (m1 & 0x30303030) << 2);
}

inline void unpack_scales(const uint8_t* header, const uint8_t* planes, int row, uint8_t* to) {
  copy_half(to, header + 2 * row);
  copy_half(to + 2, header + 32 + 2 * row);
  const uint32_t low0 = load_word(planes + 4 * row), low1 = load_word(planes + 64 + 4 * row);
  const uint32_t high = load_word(planes + 128 + 4 * row);
  store_word(to + 4, (low0 & 0x0f0f0f0f) | (high << 4 & 0xf0f0f0f0)); // S0-S3, top bits of S4-S7
  store_word(to + 8, (low0 >> 4 & 0x0f0f0f0f) | (high & 0xf0f0f0f0)); // M0-M3, top bits of M4-M7
  store_word(to + 12, low1);                                          // low bits of S4-S7, M4-M7
}

/// Two planes each: byte 4*row + k of plane i belongs to 32-block 4i + k.
template <class P> struct Scales6Bit {
  typename P::Bytes scales[2], mins[2];
};

template <class P, class Planes> INLINE inline Scales6Bit<P> load_scales(Planes planes) {
  const auto low0 = P::load_bytes(planes), low1 = P::load_bytes(planes + 64), high = P::load_bytes(planes + 128);
  return {{P::template or_bits<-4, 0x30>(P::template bits<0, 0x0f>(low0), high),
           P::template or_bits<-2, 0x30>(P::template bits<0, 0x0f>(low1), high)},
          {P::template or_bits<0, 0x30>(P::template bits<4, 0x0f>(low0), high),
           P::template or_bits<2, 0x30>(P::template bits<4, 0x0f>(low1), high)}};
}

template <class P, class Out> INLINE inline void expand_scales(const uint8_t* header, const uint8_t* planes, Out& out) {
  const auto scales = load_scales<P>(planes);
  _Pragma("GCC unroll 2") for (int half = 0; half < 2; ++half)
    four_groups([&]<int kColumn>() INLINE {
      out.scale(4 * half + kColumn, P::template column<kColumn>(scales.scales[half]));
      out.min(4 * half + kColumn, P::template column_f32<kColumn>(scales.mins[half]));
    });
  out.d_of_all(P::load_f16(header));
  out.d_min(P::load_f16(header + 32));
}

/// acc -= dmin * sum over the eight 32-blocks of M * sum(activations), in floats. As integers the eight sums would share one
/// scale; an activation 1000 times the rest (with sums of three bytes instead of two: 10^5 times) would then cost the minima of
/// the other blocks half as much accuracy as quantizing their activations does, and more beyond. Floats are right at any ratio.
/// Measured against two bytes, from the second-level cache: 1% (AVX-512) to 8% (AVX2) slower with one token, 3% with many.
template <class P, int kNT>
INLINE inline void subtract_mins(typename P::F32 d_min, const typename P::Bytes (&mins)[2], Acts act,
                                 typename P::F32 (&acc)[kNT]) {
  typename P::F32 sum[kNT];
  EACH_TOKEN(t) sum[t] = P::zero();
  _Pragma("GCC unroll 2") for (int half = 0; half < 2; ++half)
    four_groups([&]<int kColumn>() INLINE {
      const auto m = P::template column_f32<kColumn>(mins[half]);
      EACH_TOKEN(t) sum[t] = P::fma(m, P::splat(act[t].sum[4 * half + kColumn]), sum[t]);
    });
  EACH_TOKEN(t) acc[t] = P::fnma(d_min, sum[t], acc[t]);
}

} // namespace
} // namespace mote::kernels

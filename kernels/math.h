// Functions of 16 lanes, from add, mul, fma and div only, so that every ISA computes the same bits. Included by ISA units only.
//
// The coefficients are minimax fits made for these functions, each rounded to float before the next one was fitted.
#pragma once
#include "kernels/vec.h"

namespace mote::kernels {
namespace {

template <class P, size_t kCount>
MOTE_INLINE inline typename P::F32 polynomial(typename P::F32 x, const float (&highest_first)[kCount]) {
  auto y = P::splat(highest_first[0]);
  for (size_t i = 1; i < kCount; ++i) y = P::fma(y, x, P::splat(highest_first[i]));
  return y;
}

/// e^x within 1 ulp; results below 2^-126 are subnormal, then 0; above the largest float infinity; NaN gives NaN.
/// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by a polynomial of degree 6 with an error of 0.03 ulp.
template <class P> MOTE_INLINE inline typename P::F32 exp(typename P::F32 x) {
  static constexpr float kQ[] = {0x1.6a48ccp-10f, 0x1.12399ap-7f, 0x1.5558b4p-5f, 0x1.555492p-3f, 0x1.fffffcp-2f};
  // e^-104 rounds to 0 and e^89 to infinity; min and max give back their second operand when it is NaN
  x = P::min(P::splat(89.0f), P::max(P::splat(-104.0f), x));
  const auto to_integer = P::splat(0x1.8p23f); // a float of this size has no fraction
  const auto n = P::sub(P::fma(x, P::splat(0x1.715476p0f), to_integer), to_integer);
  // ln 2 in two parts, the first so short that n times it is exact
  const auto r = P::fnma(n, P::splat(0x1.7f7d1cp-20f), P::fnma(n, P::splat(0x1.62e400p-1f), x));
  const auto tail = P::fma(P::mul(r, r), polynomial<P>(r, kQ), r);
  return P::mul_pow2(P::add(P::splat(1.0f), tail), n);
}

/// cap * tanh(x / cap) within 2^-23 of cap.
template <class P> MOTE_INLINE inline typename P::F32 soft_capped(typename P::F32 x, typename P::F32 cap) {
  const auto one = P::splat(1.0f), two = P::splat(2.0f);
  const auto e = exp<P>(P::mul(two, P::div(x, cap))); // tanh = 1 - 2 / (1 + e^2x)
  return P::mul(cap, P::sub(one, P::div(two, P::add(one, e))));
}

/// 1 / (1 + e^-x). NaN gives NaN.
template <class P> MOTE_INLINE inline typename P::F32 sigmoid(typename P::F32 x) {
  const auto one = P::splat(1.0f);
  return P::div(one, P::add(one, exp<P>(P::sub(P::zero(), x))));
}

/// ln(1 + e^x), to 2 ulp also where it is tiny: max(x, 0) + ln(1 + w), w = e^-|x|, where ln(1 + w) = 2 atanh(s), s = w / (2 + w),
/// by a polynomial of degree 9 in s <= 1/3. NaN gives NaN.
template <class P> MOTE_INLINE inline typename P::F32 softplus(typename P::F32 x) {
  static constexpr float kQ[] = {0x1.1eff92p-3f, 0x1.1eb486p-3f, 0x1.99d296p-3f, 0x1.5555p-2f};
  const auto w = exp<P>(P::min(x, P::sub(P::zero(), x)));
  const auto s = P::div(w, P::add(P::splat(2.0f), w)), square = P::mul(s, s), twice = P::add(s, s);
  const auto log = P::fma(P::mul(twice, square), polynomial<P>(square, kQ), twice);
  return P::add(P::max(x, P::zero()), log);
}

/// The upper tail of the normal distribution, 1 - Phi(x), for x >= 0: within 3e-8 and, up to x = 4, 4e-6 of itself.
/// From x = 10 on it stays at 7.6e-24. It is e^-h / 2, h(x) = -ln(2 - 2 Phi(x)) by a polynomial of degree 12 on [0, 10].
template <class P> MOTE_INLINE inline typename P::F32 normal_tail(typename P::F32 x) {
  static constexpr float kH[] = {0x1.03be34p-34f, -0x1.cdc792p-29f, 0x1.67a750p-24f, -0x1.428d58p-20f,
                                 0x1.6e7b74p-17f, -0x1.0c7d08p-14f, 0x1.c51994p-13f, -0x1.b5cd5ap-16f,
                                 -0x1.3a84e6p-8f, 0x1.29beb0p-5f,   0x1.45f25ap-2f,  0x1.98845ap-1f};
  x = P::min(P::splat(10.0f), x);
  const auto h = P::mul(x, polynomial<P>(x, kH));
  return P::mul(P::splat(0.5f), exp<P>(P::sub(P::zero(), h)));
}

} // namespace
} // namespace mote::kernels

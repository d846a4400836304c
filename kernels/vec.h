// How every operation on vectors walks: 16 elements at a time, the rest with partial loads and stores. Included by ISA units
// only.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mote::kernels {
namespace {

#define MOTE_INLINE __attribute__((always_inline))

/// All 16 lanes of a vector in memory.
template <class P> struct AllLanes {
  using F32 = typename P::F32;
  F32 load(const float* p) const { return P::load(p); }
  void store(float* p, F32 x) const { P::store(p, x); }
  F32 others_zero(F32 x) const { return x; }
};

/// The first n lanes of the last vector, n in 1 .. 15; nothing is read or written behind them.
template <class P> struct FirstLanes {
  using F32 = typename P::F32;
  int n;
  F32 load(const float* p) const { return P::load_first(p, n); } ///< the other lanes are 0
  void store(float* p, F32 x) const { P::store_first(p, x, n); }
  F32 others_zero(F32 x) const { return P::first_of(x, P::zero(), n); }
};

/// fn(i, lanes) for i = 0, 16, 32, ... < n, where lanes stands for elements i .. min(i + 16, n) - 1.
template <class P, class Fn> MOTE_INLINE inline void each_16(int n, Fn fn) {
  int i = 0;
  for (; i + 16 <= n; i += 16) fn(i, AllLanes<P>{});
  if (i < n) fn(i, FirstLanes<P>{n - i});
}

/// Combines 16 lanes by halves: (i, i + 8), (i, i + 4), (i, i + 2), (i, i + 1).
template <class P, class Fn> MOTE_INLINE inline float by_halves(typename P::F32 x, Fn fn) {
  using Four = float __attribute__((vector_size(16), may_alias)); // what is stored as floats
  Four lanes[4];
  P::store(reinterpret_cast<float*>(lanes), x);
  const Four four = fn(fn(lanes[0], lanes[2]), fn(lanes[1], lanes[3]));
  return fn(fn(four[0], four[2]), fn(four[1], four[3]));
}
template <class P> MOTE_INLINE inline float sum_lanes(typename P::F32 x) {
  return by_halves<P>(x, [](auto a, auto b) MOTE_INLINE { return a + b; });
}
template <class P> MOTE_INLINE inline float max_lanes(typename P::F32 x) {
  return by_halves<P>(x, [](auto a, auto b) MOTE_INLINE { return a > b ? a : b; });
}

} // namespace
} // namespace mote::kernels

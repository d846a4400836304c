// Softmax of a short vector. Included by ISA units only.
#pragma once
#include "kernels/math.h"

namespace mote::kernels {
namespace {

template <class P> void softmax(int n, float* x) {
  const auto lowest = P::splat(-__builtin_inff());
  auto largest = lowest;
  int i = 0;
  for (; i + 16 <= n; i += 16) largest = P::max(largest, P::load(x + i));
  if (i < n) largest = P::max(largest, P::first_of(P::load_first(x + i, n - i), lowest, n - i));
  const auto max = P::splat(max_lanes<P>(largest));
  auto sums = P::zero();
  each_16<P>(n, [&](int first, auto lanes) MOTE_INLINE {
    const auto e = lanes.others_zero(exp<P>(P::sub(lanes.load(x + first), max)));
    lanes.store(x + first, e);
    sums = P::add(sums, e);
  });
  const auto sum = P::splat(sum_lanes<P>(sums));
  each_16<P>(n, [&](int first, auto lanes) MOTE_INLINE { lanes.store(x + first, P::div(lanes.load(x + first), sum)); });
}

} // namespace
} // namespace mote::kernels

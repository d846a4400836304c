// Normalization of a vector, sums, products and multiples. Included by ISA units only.
#pragma once
#include "kernels/vec.h"

namespace mote::kernels {
namespace {

/// Mean of the n numbers that were summed in 16 lanes, in every lane.
template <class P> MOTE_INLINE inline typename P::F32 mean_of_lanes(typename P::F32 sums, int n) {
  return P::div(P::splat(sum_lanes<P>(sums)), P::splat(static_cast<float>(n)));
}
template <class P> MOTE_INLINE inline typename P::F32 inverse_root(typename P::F32 x, float eps) {
  return P::div(P::splat(1.0f), P::sqrt(P::add(x, P::splat(eps))));
}

template <class P> void rms_norm(const float* x, const float* weight, float eps, int n, float* out) {
  auto squares = P::zero();
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE {
    const auto v = lanes.load(x + i);
    squares = P::fma(v, v, squares);
  });
  const auto scale = inverse_root<P>(mean_of_lanes<P>(squares, n), eps);
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE {
    const auto v = P::mul(lanes.load(x + i), scale);
    lanes.store(out + i, weight ? P::mul(v, lanes.load(weight + i)) : v);
  });
}

/// The mean first, then the squares of the differences: no cancellation when the mean is large.
template <class P> void layer_norm(const float* x, const float* weight, const float* bias, float eps, int n, float* out) {
  auto sums = P::zero();
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE { sums = P::add(sums, lanes.load(x + i)); });
  const auto mean = mean_of_lanes<P>(sums, n);
  auto squares = P::zero();
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE {
    const auto v = lanes.others_zero(P::sub(lanes.load(x + i), mean));
    squares = P::fma(v, v, squares);
  });
  const auto scale = inverse_root<P>(mean_of_lanes<P>(squares, n), eps);
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE {
    const auto v = P::mul(P::sub(lanes.load(x + i), mean), scale);
    if (!weight) return lanes.store(out + i, v);
    const auto w = lanes.load(weight + i);
    lanes.store(out + i, bias ? P::fma(v, w, lanes.load(bias + i)) : P::mul(v, w));
  });
}

template <class P> void add(float scale, const float* y, int n, float* x) {
  const auto factor = P::splat(scale);
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE { lanes.store(x + i, P::fma(factor, lanes.load(y + i), lanes.load(x + i))); });
}

template <class P> void scale(float factor, int n, float* x) {
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE { lanes.store(x + i, P::mul(lanes.load(x + i), P::splat(factor))); });
}

template <class P> void clamp(float limit, int n, float* x) {
  each_16<P>(n, [&](int i, auto lanes)
                    MOTE_INLINE { lanes.store(x + i, P::min(P::splat(limit), P::max(P::splat(-limit), lanes.load(x + i)))); });
}

template <class P> void multiply(const float* y, int n, float* x) {
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE { lanes.store(x + i, P::mul(lanes.load(x + i), lanes.load(y + i))); });
}

} // namespace
} // namespace mote::kernels

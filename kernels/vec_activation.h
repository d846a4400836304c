// Activation functions, alone and as the gate of another vector. Included by ISA units only. Their formulas: mote::Activation.
// NaN gives NaN. An infinite x gives its limit or NaN.
#pragma once
#include "kernels/math.h"

namespace mote::kernels {
namespace {

/// x / (1 + e^-x)
struct Silu {
  template <class P> static MOTE_INLINE typename P::F32 of(typename P::F32 x) {
    return P::div(x, P::add(P::splat(1.0f), exp<P>(P::sub(P::zero(), x))));
  }
};

/// 0.5 (1 + tanh u) = 1 / (1 + e^-2u), which keeps its digits where tanh is near -1.
struct GeluTanh {
  template <class P> static MOTE_INLINE typename P::F32 of(typename P::F32 x) {
    // -2u = x (a + b x^2), a = -2 sqrt(2/pi), b = 0.044715 a
    const auto slope = P::fma(P::mul(x, x), P::splat(-0x1.2444f2p-4f), P::splat(-0x1.988454p+0f));
    return P::div(x, P::add(P::splat(1.0f), exp<P>(P::mul(x, slope))));
  }
};

/// x Phi(x) = max(x, 0) - |x| (1 - Phi(|x|)), which keeps its digits where erf is near -1.
struct GeluErf {
  template <class P> static MOTE_INLINE typename P::F32 of(typename P::F32 x) {
    const auto magnitude = P::max(P::sub(P::zero(), x), x);
    return P::fnma(magnitude, normal_tail<P>(magnitude), P::max(P::zero(), x));
  }
};

struct Relu {
  template <class P> static MOTE_INLINE typename P::F32 of(typename P::F32 x) { return P::max(P::zero(), x); }
};

struct ReluSquared {
  template <class P> static MOTE_INLINE typename P::F32 of(typename P::F32 x) {
    x = P::max(P::zero(), x);
    return P::mul(x, x);
  }
};

template <class P, class Function> void activate(int n, float* x) {
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE { lanes.store(x + i, Function::template of<P>(lanes.load(x + i))); });
}

template <class P, class Function> void gate(const float* up, int n, float* x) {
  each_16<P>(n, [&](int i, auto lanes)
                    MOTE_INLINE { lanes.store(x + i, P::mul(Function::template of<P>(lanes.load(x + i)), lanes.load(up + i))); });
}

template <class P> void softcap(float cap, int n, float* x) {
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE { lanes.store(x + i, soft_capped<P>(lanes.load(x + i), P::splat(cap))); });
}

} // namespace
} // namespace mote::kernels

// What recurrent mixers do beside products of matrices: causal convolutions and the scans of state spaces. Included by ISA units
// only.
//
// Lanes are channels, tokens come in order, and the sum over a state is a chain of fma in ascending order: the bits depend
// neither on the ISA nor on how a sequence is cut into calls.
#pragma once
#include "kernels/math.h"
#include "kernels/table.h"
#include "kernels/vec_activation.h"

namespace mote::kernels {
namespace {

/// fn(i, panel, lanes) for channels i .. i + 15 of panel i / 16, where the last panel may have fewer.
template <class P, class Fn> MOTE_INLINE inline void each_panel(int n_channels, Fn fn) {
  each_16<P>(n_channels, [&](int i, auto lanes) MOTE_INLINE { fn(i, static_cast<size_t>(i / 16), lanes); });
}

template <class P> void causal_conv(const ConvArgs& a) {
  const int n_past = a.d_conv - 1;
  const size_t weight_panel = 16 * static_cast<size_t>(a.d_conv), past_panel = 16 * static_cast<size_t>(n_past);
  // input of a channel at token t, or before the call: t = -1 is the last one of the past
  const auto input = [&](int t, int i, size_t panel, auto lanes) MOTE_INLINE {
    return t < 0 ? P::load(a.past + panel * past_panel + 16 * (n_past + t))
                 : lanes.load(a.x + static_cast<size_t>(t) * a.x_stride + i);
  };
  for (int t = 0; t < a.n_tokens; ++t) {
    each_panel<P>(a.n_channels, [&](int i, size_t panel, auto lanes) MOTE_INLINE {
      auto sum = a.bias ? lanes.load(a.bias + i) : P::zero();
      for (int k = 0; k < a.d_conv; ++k)
        sum = P::fma(P::load(a.weight + panel * weight_panel + 16 * k), input(t - n_past + k, i, panel, lanes), sum);
      lanes.store(a.out + static_cast<size_t>(t) * a.out_stride + i, sum);
    });
  }
  each_panel<P>(a.n_channels, [&](int i, size_t panel, auto lanes) MOTE_INLINE {
    for (int k = 0; k < n_past; ++k) // what is read stands at or behind what is written
      P::store(a.past + panel * past_panel + 16 * k, input(a.n_tokens - n_past + k, i, panel, lanes));
  });
}

/// y silu(z).
template <class P> MOTE_INLINE inline typename P::F32 gated(typename P::F32 y, typename P::F32 z) {
  return P::mul(y, Silu::of<P>(z));
}

template <class P> void mamba_scan(const MambaScanArgs& a) {
  const size_t panel_size = 16 * static_cast<size_t>(a.d_state);
  for (int t = 0; t < a.n_tokens; ++t) {
    const auto token = static_cast<size_t>(t);
    const float* b = a.b + token * a.bc_stride;
    const float* c = a.c + token * a.bc_stride;
    each_panel<P>(a.n_channels, [&](int i, size_t panel, auto lanes) MOTE_INLINE {
      const float* decay = a.a + panel * panel_size;
      float* state = a.state + panel * panel_size;
      const auto u = lanes.load(a.u + token * a.u_stride + i), dt = softplus<P>(lanes.load(a.dt + token * a.dt_stride + i));
      const auto input = P::mul(dt, u);
      auto y = P::zero();
      for (int n = 0; n < a.d_state; ++n) {
        const auto keep = exp<P>(P::mul(dt, P::load(decay + 16 * n)));
        const auto h = P::fma(keep, P::load(state + 16 * n), P::mul(input, P::splat(b[n])));
        P::store(state + 16 * n, h);
        y = P::fma(h, P::splat(c[n]), y);
      }
      y = P::fma(u, lanes.load(a.d + i), y);
      lanes.store(a.out + token * a.out_stride + i, gated<P>(y, lanes.load(a.z + token * a.z_stride + i)));
    });
  }
}

template <class P> void mamba2_scan(const Mamba2ScanArgs& a) {
  const size_t panel_size = 16 * static_cast<size_t>(a.d_state);
  for (int t = 0; t < a.n_tokens; ++t) {
    const auto token = static_cast<size_t>(t);
    const float* b = a.b + token * a.bc_stride;
    const float* c = a.c + token * a.bc_stride;
    const auto dt = softplus<P>(P::add(P::splat(a.dt[token * a.dt_stride]), P::splat(a.dt_bias)));
    const auto keep = exp<P>(P::mul(dt, P::splat(a.a)));
    each_panel<P>(a.head_dim, [&](int i, size_t panel, auto lanes) MOTE_INLINE {
      float* state = a.state + panel * panel_size;
      const auto x = lanes.load(a.x + token * a.x_stride + i), input = P::mul(dt, x);
      auto y = P::zero();
      for (int n = 0; n < a.d_state; ++n) {
        const auto h = P::fma(keep, P::load(state + 16 * n), P::mul(input, P::splat(b[n])));
        P::store(state + 16 * n, h);
        y = P::fma(h, P::splat(c[n]), y);
      }
      y = P::fma(x, P::splat(a.d), y);
      lanes.store(a.out + token * a.out_stride + i, gated<P>(y, lanes.load(a.z + token * a.z_stride + i)));
    });
  }
}

template <class P> void rg_lru(const RgLruArgs& a) {
  const auto one = P::splat(1.0f);
  each_16<P>(a.n_channels, [&](int i, auto lanes) MOTE_INLINE {
    const auto rate = P::mul(P::splat(-8.0f), softplus<P>(lanes.load(a.a + i)));
    const auto gate_at = [&](const float* gate, const float* bias, size_t token) MOTE_INLINE {
      return sigmoid<P>(P::add(lanes.load(gate + token * a.gate_stride + i), lanes.load(bias + i)));
    };
    auto h = P::load(a.state + i);
    for (int t = 0; t < a.n_tokens; ++t) {
      const auto token = static_cast<size_t>(t);
      const auto log_a = P::mul(rate, gate_at(a.recurrence_gate, a.recurrence_bias, token));
      const auto input = P::mul(lanes.load(a.u + token * a.u_stride + i), gate_at(a.input_gate, a.input_bias, token));
      const auto root = P::sqrt(P::sub(one, exp<P>(P::add(log_a, log_a))));
      h = P::fma(exp<P>(log_a), h, P::mul(input, a.first_pos + t == 0 ? one : root));
      lanes.store(a.out + token * a.out_stride + i, P::mul(h, GeluTanh::of<P>(lanes.load(a.y + token * a.y_stride + i))));
    }
    P::store(a.state + i, h);
  });
}

} // namespace
} // namespace mote::kernels

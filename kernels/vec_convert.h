// f32 to f16, as the caches hold it: to nearest, ties to even; beyond the largest f16 infinity; every NaN becomes 0x7e00.
// Included by ISA units only.
#pragma once
#include "kernels/vec.h"

namespace mote::kernels {
namespace {

template <class P> void f16_from_f32(const float* x, int n, uint16_t* out) {
  int i = 0;
  for (; i + 16 <= n; i += 16) P::store_f16(out + i, P::load(x + i));
  if (i == n) return;
  uint16_t last[16];
  P::store_f16(last, P::load_first(x + i, n - i));
  for (int k = 0; i < n; ++i, ++k) out[i] = last[k];
}

template <class P> void f16_from_f32_lane(const float* x, int n, uint16_t* out) {
  each_16<P>(n, [&](int i, auto lanes) MOTE_INLINE {
    uint16_t h[16];
    P::store_f16(h, lanes.load(x + i));
    const int count = n - i < 16 ? n - i : 16;
    for (int k = 0; k < count; ++k) out[16 * (i + k)] = h[k];
  });
}

} // namespace
} // namespace mote::kernels

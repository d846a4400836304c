// Rotary position embedding of one head. Included by ISA units only.
//
// Plain loops: the compiler vectorizes them with the unit's flags, and each output is two fixed operations.
#pragma once
#include "kernels/fused.h"
#include "kernels/vec.h"

namespace mote::kernels {
namespace {

/// (a, b) turned by the angle whose cosine and sine are given.
MOTE_INLINE inline void rotate(float cos, float sin, float& a, float& b) {
  const float turned_a = fused_multiply_add(a, cos, -(b * sin)), turned_b = fused_multiply_add(b, cos, a * sin);
  a = turned_a;
  b = turned_b;
}

inline void rope_interleaved(const float* __restrict cos, const float* __restrict sin, int dims, float* __restrict x) {
  for (int i = 0; i < dims / 2; ++i) rotate(cos[i], sin[i], x[2 * i], x[2 * i + 1]);
}

inline void rope_halves(const float* __restrict cos, const float* __restrict sin, int dims, float* __restrict x) {
  const int half = dims / 2;
  for (int i = 0; i < half; ++i) rotate(cos[i], sin[i], x[i], x[half + i]);
}

} // namespace
} // namespace mote::kernels

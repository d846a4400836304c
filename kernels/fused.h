// One fused multiply-add of plain floats, without the C library: a * b + c, rounded once.
#pragma once
#include <stdint.h>

namespace mote::kernels {
namespace {

inline float fused_multiply_add(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fmaf(a, b, c);
#else
  // The product is exact in double. The sum is rounded to odd (Boldo, Melquiond, 2008: "Emulation of FMA and correctly rounded
  // sums"): where it is not exact, the last bit becomes 1, so that rounding to float afterwards sees which side it came from.
  const double product = static_cast<double>(a) * b, sum = product + c;
  const double back = sum - product, error = (product - (sum - back)) + (c - back); // sum + error is exact
  uint64_t bits;
  __builtin_memcpy(&bits, &sum, 8);
  const uint64_t inexact = (error < 0) | (error > 0); // 0 where something is infinite or NaN
  const uint64_t step = inexact & ~bits, toward_zero = (error < 0) ^ (sum < 0);
  bits += step - 2 * (step & toward_zero);
  double odd;
  __builtin_memcpy(&odd, &bits, 8);
  return static_cast<float>(odd);
#endif
}

} // namespace
} // namespace mote::kernels

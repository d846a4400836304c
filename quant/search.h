/// The searches behind quantize(): codes, scales and minima that bring a block closest to its values, in the sum of squared
/// differences. Shared by all formats. Only +, -, *, / and comparisons in a fixed order, so every machine makes the same bytes.
#pragma once
#include <cstdint>
#include <limits>

#include "quant/quant.h"

namespace mote::quant {

/// Values whose blocks are searched lie within this bound; squares and sums of 256 of them are far from overflow, and no
/// format here can represent more.
inline constexpr float kSearchLimit = 0x1p30f;
/// Blocks with nothing larger are zero: half of the smallest f16 is 2^-25.
inline constexpr float kSearchTiny = 0x1p-26f;

/// x, 0 if it is not finite, the nearer of -limit and limit if it is beyond them.
inline float finite_within(float x, float limit) noexcept {
  constexpr float kLargest = std::numeric_limits<float>::max();
  x = x >= -kLargest && x <= kLargest ? x : 0.0f;
  x = x < limit ? x : limit;
  return x > -limit ? x : -limit;
}

/// x as the searches want it.
template <int kSize>
void clean_copy(const float* x, float* out) noexcept {
  for (int i = 0; i < kSize; ++i) out[i] = finite_within(x[i], kSearchLimit);
}

/// The nearest finite f16.
inline std::uint16_t f16_scale(float x) noexcept { return f16_from_f32(finite_within(x, 65504.0f)); }

/// Codes are the whole numbers lowest .. highest.
struct CodeRange {
  float lowest, highest;
};

/// The nearest code; of two, the even one.
inline float nearest_code(float x, CodeRange codes) noexcept {
  x = x < codes.highest ? x : codes.highest;
  x = x > codes.lowest ? x : codes.lowest;
  constexpr float kMagic = 0x1.8p23f; // its unit in the last place is 1
  return (x + kMagic) - kMagic;
}

/// 1 / x, and 0 for 0: the codes of a block without scale are zero.
inline float inverse_or_zero(float x) noexcept { return x != 0.0f ? 1.0f / x : 0.0f; }

/// weight = scale * code + min
struct Affine {
  float scale = 0, min = 0;
};

/// Sums over a block for its codes under some scale and min: what a least squares fit needs.
struct Moments {
  float q, qq, xq;
};

// Sums are taken in eight lanes so that the compiler may use vectors of any width without changing a bit.
inline constexpr int kLanes = 8;
inline float sum_lanes(const float* lanes) noexcept {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

/// codes = nearest_code((x - min) * inverse). weights: [kSize], read if kWeighted.
template <int kSize, bool kWeighted>
Moments moments(const float* x, const float* weights, float inverse, float min, CodeRange codes) noexcept {
  static_assert(kSize % kLanes == 0);
  float q[kLanes] = {}, qq[kLanes] = {}, xq[kLanes] = {};
  for (int i = 0; i < kSize; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const float code = nearest_code((x[i + lane] - min) * inverse, codes);
      const float weighted = kWeighted ? weights[i + lane] * code : code;
      q[lane] += weighted;
      qq[lane] += weighted * code;
      xq[lane] += weighted * x[i + lane];
    }
  }
  return {sum_lanes(q), sum_lanes(qq), sum_lanes(xq)};
}

/// Sum of squared differences that this scale and min leave.
template <int kSize>
float squared_error(const float* x, Affine fit, CodeRange codes) noexcept {
  const float inverse = inverse_or_zero(fit.scale);
  float sums[kLanes] = {};
  for (int i = 0; i < kSize; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const float code = nearest_code((x[i + lane] - fit.min) * inverse, codes);
      const float difference = x[i + lane] - (fit.scale * code + fit.min);
      sums[lane] += difference * difference;
    }
  }
  return sum_lanes(sums);
}

/// The value of largest magnitude, the first of them.
template <int kSize>
float extreme_of(const float* x) noexcept {
  float extreme = 0.0f, largest = 0.0f;
  for (int i = 0; i < kSize; ++i) {
    const float magnitude = x[i] < 0.0f ? -x[i] : x[i];
    if (magnitude > largest) {
      largest = magnitude;
      extreme = x[i];
    }
  }
  return extreme;
}

/// Where a search for a scale begins: the largest value may lie from..to codes beyond the end of the range, in this step.
struct Sweep {
  float from, to, step;
};

/// The scale, of either sign, whose codes come closest to x. weights: [kSize], of the squared differences; null: all 1.
/// 0 when there is nothing larger than kSearchTiny.
template <int kSize>
float best_scale(const float* x, const float* weights, CodeRange codes, Sweep sweep) noexcept {
  const float extreme = extreme_of<kSize>(x);
  if (extreme < kSearchTiny && extreme > -kSearchTiny) return 0.0f;
  float best = 0.0f, best_gain = 0.0f;
  const auto try_inverse = [&](float inverse) {
    const Moments m = weights != nullptr ? moments<kSize, true>(x, weights, inverse, 0.0f, codes)
                                         : moments<kSize, false>(x, nullptr, inverse, 0.0f, codes);
    if (m.qq == 0.0f) return;
    const float scale = m.xq / m.qq; // least squares for these codes; takes m.xq * scale off the squared error
    if (m.xq * scale > best_gain) {
      best_gain = m.xq * scale;
      best = scale;
    }
  };
  const bool symmetric = codes.lowest == -codes.highest;
  for (float beyond = sweep.from; beyond <= sweep.to; beyond += sweep.step) {
    if (codes.lowest != 0.0f && !symmetric) try_inverse((codes.lowest - beyond) / extreme);
    try_inverse((codes.highest + beyond) / extreme);
  }
  return best;
}

/// Scale and min whose codes come closest to x.
template <int kSize>
Affine best_affine(const float* x, CodeRange codes, Sweep sweep) noexcept {
  float lowest = x[0], highest = x[0], sum = 0.0f;
  for (int i = 0; i < kSize; ++i) {
    lowest = x[i] < lowest ? x[i] : lowest;
    highest = x[i] > highest ? x[i] : highest;
    sum += x[i];
  }
  const float mean = sum * (1.0f / kSize);
  if (highest - lowest < kSearchTiny) return {0.0f, mean};
  float centred[kSize]; // around 0 the fit of scale and min separates, and loses no digits
  for (int i = 0; i < kSize; ++i) centred[i] = x[i] - mean;
  const float unit = (highest - lowest) / codes.highest;
  Affine best;
  float best_gain = 0.0f;
  for (float below = sweep.from; below <= sweep.to; below += sweep.step) {
    for (float above = sweep.from; above <= sweep.to; above += sweep.step) {
      const float min = lowest - mean + below * unit;
      const float inverse = 1.0f / (unit * (1.0f - (below + above) / codes.highest));
      const Moments m = moments<kSize, false>(centred, nullptr, inverse, min, codes);
      const float variance = m.qq - m.q * m.q * (1.0f / kSize);
      if (variance <= 0.0f) continue;
      const float scale = m.xq / variance;
      if (m.xq * scale > best_gain) {
        best_gain = m.xq * scale;
        best = {scale, mean - scale * m.q * (1.0f / kSize)};
      }
    }
  }
  return best;
}

} // namespace mote::quant

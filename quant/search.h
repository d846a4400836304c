/// The searches behind quantize(): codes, scales and minima that bring a block closest to its values in the sum of squared
/// differences. Shared by all formats. Only + - * / and comparisons in a fixed order: every machine makes the same bytes.
#pragma once
#include <cstdint>
#include <cstring>

#include "quant/quant.h"

namespace mote::quant {

/// Searched values lie within this bound: no format here represents more, and squares of sums are far from overflow.
inline constexpr float kSearchLimit = 0x1p30f;
/// Below this a block is zero: far less than half of any format's smallest value, and its inverse is far from overflow.
inline constexpr float kSearchTiny = 0x1p-40f;

/// x; 0 if it is not finite; the nearer of -limit and limit if it is beyond them.
inline float finite_within(float x, float limit) noexcept {
  x = x - x == 0.0f ? x : 0.0f;
  x = x < limit ? x : limit;
  return x > -limit ? x : -limit;
}

/// x as the searches want it.
template <int kSize> void clean_copy(const float* x, float* out) noexcept {
  for (int i = 0; i < kSize; ++i) out[i] = finite_within(x[i], kSearchLimit);
}

/// The nearest finite f16.
inline std::uint16_t finite_f16(float x) noexcept { return f16_from_f32(finite_within(x, 65504.0f)); }

/// The f16 to store for a scale: as above, but the next larger one among the subnormals, which are so coarse that a smaller
/// scale could cut off the largest codes.
inline std::uint16_t f16_scale(float scale) noexcept {
  std::uint16_t half = finite_f16(scale);
  const float stored = f32_from_f16(half);
  const bool subnormal = (half & 0x7C00) == 0;
  if (subnormal && stored * stored < scale * scale) ++half;
  return half;
}

/// Codes are the whole numbers lowest .. highest.
struct CodeRange {
  float lowest, highest;
};

/// Four values side by side, which compilers put into a register. Sums are taken in these four lanes on every machine.
using Lanes = float __attribute__((vector_size(16)));
inline constexpr int kLanes = 4;

inline Lanes load_lanes(const float* x) noexcept {
  Lanes lanes;
  std::memcpy(&lanes, x, sizeof(lanes));
  return lanes;
}
inline Lanes all_lanes(float x) noexcept { return Lanes{x, x, x, x}; }
inline float sum_lanes(Lanes lanes) noexcept { return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]); }

/// The nearest code, of two the even one. T: float or Lanes.
template <class T> T nearest_code(T x, T lowest, T highest) noexcept {
  x = x < highest ? x : highest;
  x = x > lowest ? x : lowest;
  return (x + 0x1.8p23f) - 0x1.8p23f; // between them the unit in the last place is 1
}
inline float nearest_code(float x, CodeRange codes) noexcept { return nearest_code(x, codes.lowest, codes.highest); }
inline Lanes nearest_code(Lanes x, CodeRange codes) noexcept {
  return nearest_code(x, all_lanes(codes.lowest), all_lanes(codes.highest));
}

/// 0 for 0: without a scale all codes are 0.
inline float inverse_or_zero(float x) noexcept { return x != 0.0f ? 1.0f / x : 0.0f; }

/// weight = scale * code + min
struct Affine {
  float scale = 0, min = 0;
};

/// Sums over a block with its codes q, all that a least squares fit needs: of q, q * q and x * q.
struct Moments {
  float q, qq, xq;
};

/// For the codes that inverse (of the scale) and min give.
template <int kSize> Moments moments(const float* x, float inverse, float min, CodeRange codes) noexcept {
  static_assert(kSize % kLanes == 0);
  Lanes q{}, qq{}, xq{};
  for (int i = 0; i < kSize; i += kLanes) {
    const Lanes value = load_lanes(x + i);
    const Lanes code = nearest_code((value - min) * inverse, codes);
    q += code;
    qq += code * code;
    xq += code * value;
  }
  return {sum_lanes(q), sum_lanes(qq), sum_lanes(xq)};
}

/// The same for min = 0, each value counting as much as its weight says.
template <int kSize> Moments weighted_moments(const float* x, const float* weights, float inverse, CodeRange codes) noexcept {
  static_assert(kSize % kLanes == 0);
  Lanes q{}, qq{}, xq{};
  for (int i = 0; i < kSize; i += kLanes) {
    const Lanes value = load_lanes(x + i);
    const Lanes code = nearest_code(value * inverse, codes);
    const Lanes weighted = load_lanes(weights + i) * code;
    q += weighted;
    qq += weighted * code;
    xq += weighted * value;
  }
  return {sum_lanes(q), sum_lanes(qq), sum_lanes(xq)};
}

/// Sum of squared differences that this scale and min leave.
template <int kSize> float squared_error(const float* x, Affine fit, CodeRange codes) noexcept {
  static_assert(kSize % kLanes == 0);
  const float inverse = inverse_or_zero(fit.scale);
  Lanes sum{};
  for (int i = 0; i < kSize; i += kLanes) {
    const Lanes value = load_lanes(x + i);
    const Lanes code = nearest_code((value - fit.min) * inverse, codes);
    const Lanes difference = value - (fit.scale * code + fit.min);
    sum += difference * difference;
  }
  return sum_lanes(sum);
}

/// The starts of a search: the largest values may lie from .. to codes beyond the end of the range, in this step.
struct Sweep {
  float from, to, step;
};

/// The scale, of either sign, whose codes come closest to x; 0 for a block of (nearly) nothing but 0. moments_of(inverse)
/// are those of x. Each start's codes give a scale by least squares, which takes xq * xq / qq off the squared error.
template <int kSize, class MomentsOf>
float best_scale_by(const float* x, CodeRange codes, Sweep sweep, MomentsOf moments_of) noexcept {
  float extreme = 0.0f;
  for (int i = 0; i < kSize; ++i) extreme = x[i] * x[i] > extreme * extreme ? x[i] : extreme;
  if (extreme < kSearchTiny && extreme > -kSearchTiny) return 0.0f;
  float best = 0.0f, best_gain = 0.0f;
  const auto try_start = [&](float largest_code) {
    const Moments m = moments_of(largest_code / extreme);
    const float scale = m.qq != 0.0f ? m.xq / m.qq : 0.0f;
    const float gain = m.xq * scale;
    best = gain > best_gain ? scale : best;
    best_gain = gain > best_gain ? gain : best_gain;
  };
  const bool lower_end = codes.lowest != 0.0f && codes.lowest != -codes.highest; // else nothing, or the same again
  for (float beyond = sweep.from; beyond <= sweep.to; beyond += sweep.step) {
    if (lower_end) try_start(codes.lowest - beyond);
    try_start(codes.highest + beyond);
  }
  return best;
}

template <int kSize> float best_scale(const float* x, CodeRange codes, Sweep sweep) noexcept {
  return best_scale_by<kSize>(x, codes, sweep, [&](float inverse) { return moments<kSize>(x, inverse, 0.0f, codes); });
}

template <int kSize> float best_weighted_scale(const float* x, const float* weights, CodeRange codes, Sweep sweep) noexcept {
  return best_scale_by<kSize>(x, codes, sweep,
                              [&](float inverse) { return weighted_moments<kSize>(x, weights, inverse, codes); });
}

/// Scale (not negative) and min whose codes 0 .. highest_code come closest to x. Both ends of the range are swept.
template <int kSize> Affine best_affine(const float* x, float highest_code, Sweep sweep) noexcept {
  float lowest = x[0], highest = x[0], sum = 0.0f;
  for (int i = 0; i < kSize; ++i) {
    lowest = x[i] < lowest ? x[i] : lowest;
    highest = x[i] > highest ? x[i] : highest;
    sum += x[i];
  }
  const float mean = sum * (1.0f / kSize);
  if (highest - lowest < kSearchTiny) return {0.0f, mean};
  float centred[kSize]; // around 0 the fits of scale and min separate, and no digits are lost
  for (int i = 0; i < kSize; ++i) centred[i] = x[i] - mean;
  Affine best{0.0f, mean};
  float best_gain = 0.0f;
  for (float below = sweep.from; below <= sweep.to; below += sweep.step) {
    for (float above = sweep.from; above <= sweep.to; above += sweep.step) {
      const float inverse = (highest_code + below + above) / (highest - lowest);
      const Moments m = moments<kSize>(centred, inverse, lowest - mean + below / inverse, {0.0f, highest_code});
      const float mean_code = m.q * (1.0f / kSize);
      const float variance = m.qq - m.q * mean_code;
      if (variance <= 0.0f) continue;
      const float scale = m.xq / variance;
      if (m.xq * scale <= best_gain) continue;
      best_gain = m.xq * scale;
      best = {scale, mean - scale * mean_code};
    }
  }
  return best;
}

} // namespace mote::quant

#include "quant/group_search.h"

#include <limits>

namespace mote::quant {
namespace {

constexpr CodeRange kSixBits{0, 63};

// The scale of one group of 16, of `start` and its neighbours, that leaves the least error.
int best_neighbour(const float* x, CodeRange codes, float d, float start, CodeRange scale_codes) noexcept {
  float best = start;
  float least = squared_error<16>(x, {d * start, 0.0f}, codes);
  for (const float step : {-1.0f, 1.0f}) {
    const float scale = nearest_code(start + step, scale_codes);
    const float error = squared_error<16>(x, {d * scale, 0.0f}, codes);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return static_cast<int>(best);
}

// A group of 32 with scale and min still free, and what rounding them to their units takes.
struct FreeGroup {
  float scale, min; // weight = scale * code - min; both not negative
  float stiffness;  // squared error per squared change of the scale, min following
  float mean_code;  // how min follows it
};

FreeGroup fit_group(const float* x, float highest_code) noexcept {
  constexpr Sweep kSweep{-0.75f, 0.75f, 0.375f};
  const CodeRange codes{0.0f, highest_code};
  Affine fit = best_affine<32>(x, highest_code, kSweep);
  if (fit.min > 0.0f) { // the format has no such minimum
    const float scale = best_scale<32>(x, codes, kSweep);
    fit = {scale > 0.0f ? scale : 0.0f, 0.0f};
    return {fit.scale, 0.0f, moments<32>(x, inverse_or_zero(fit.scale), 0.0f, codes).qq, 0.0f};
  }
  const Moments m = moments<32>(x, inverse_or_zero(fit.scale), fit.min, codes);
  const float mean_code = m.q * (1.0f / 32);
  return {fit.scale, -fit.min, m.qq - m.q * mean_code, mean_code};
}

// The scale and min of one group, of those nearest to the free ones and their neighbours, that leave the least error.
void round_group(const float* x, const FreeGroup& group, float highest_code, float d, float d_min, int* scale,
                 int* min) noexcept {
  float least = std::numeric_limits<float>::max();
  const float start = nearest_code(group.scale * inverse_or_zero(d), kSixBits);
  for (const float scale_step : {0.0f, -1.0f, 1.0f}) {
    const float s = nearest_code(start + scale_step, kSixBits);
    const float following_min = group.min + group.mean_code * (d * s - group.scale);
    const float min_start = nearest_code(following_min * inverse_or_zero(d_min), kSixBits);
    for (const float min_step : {0.0f, -1.0f, 1.0f}) {
      const float m = nearest_code(min_start + min_step, kSixBits);
      const float error = squared_error<32>(x, {d * s, -(d_min * m)}, {0.0f, highest_code});
      if (error >= least) continue;
      least = error;
      *scale = static_cast<int>(s);
      *min = static_cast<int>(m);
    }
  }
}

} // namespace

GroupScales best_group_scales(const float* x, CodeRange codes, Sweep sweep, CodeRange scale_codes, Sweep unit_sweep) noexcept {
  float scales[16], stiffness[16];
  for (int g = 0; g < 16; ++g) {
    scales[g] = best_scale<16>(x + 16 * g, codes, sweep);
    stiffness[g] = moments<16>(x + 16 * g, inverse_or_zero(scales[g]), 0.0f, codes).qq;
  }
  GroupScales result;
  result.d = f16_scale(best_weighted_scale<16>(scales, stiffness, scale_codes, unit_sweep));
  const float d = f32_from_f16(result.d);
  for (int g = 0; g < 16; ++g) {
    const float start = nearest_code(scales[g] * inverse_or_zero(d), scale_codes);
    result.scales[g] = best_neighbour(x + 16 * g, codes, d, start, scale_codes);
  }
  return result;
}

AffineGroups best_affine_groups(const float* x, float highest_code) noexcept {
  constexpr Sweep kUnitSweep{-2.0f, 2.0f, 0.5f};
  FreeGroup groups[8];
  float scales[8], stiffness[8], mins[8];
  for (int b = 0; b < 8; ++b) {
    groups[b] = fit_group(x + 32 * b, highest_code);
    scales[b] = groups[b].scale;
    stiffness[b] = groups[b].stiffness;
  }
  AffineGroups result;
  result.d = f16_scale(best_weighted_scale<8>(scales, stiffness, kSixBits, kUnitSweep));
  const float d = f32_from_f16(result.d);
  for (int b = 0; b < 8; ++b) {
    const float rounded = d * nearest_code(scales[b] * inverse_or_zero(d), kSixBits);
    const float min = groups[b].min + groups[b].mean_code * (rounded - scales[b]);
    mins[b] = min > 0.0f ? min : 0.0f;
  }
  result.d_min = f16_scale(best_scale<8>(mins, kSixBits, kUnitSweep));
  const float d_min = f32_from_f16(result.d_min);
  for (int b = 0; b < 8; ++b) {
    round_group(x + 32 * b, groups[b], highest_code, d, d_min, &result.scales[b], &result.mins[b]);
  }
  return result;
}

} // namespace mote::quant

#include "quant/group_search.h"

namespace mote::quant {
namespace {

constexpr CodeRange kSixBits{0, 63};

// The scale code, of `start` and its neighbours, that leaves the least error in a group of 16.
int best_scale_code(const float* x, CodeRange codes, float d, float start, CodeRange scale_codes) noexcept {
  float best = start;
  float best_error = squared_error<16>(x, {d * start, 0.0f}, codes);
  for (const float step : {-1.0f, 1.0f}) {
    const float candidate = nearest_code(start + step, scale_codes);
    const float error = squared_error<16>(x, {d * candidate, 0.0f}, codes);
    if (error < best_error) {
      best_error = error;
      best = candidate;
    }
  }
  return static_cast<int>(best);
}

} // namespace

GroupScales best_group_scales(const float* x, CodeRange codes, Sweep sweep, CodeRange scale_codes, Sweep unit_sweep) noexcept {
  float scales[16], weights[16];
  for (int g = 0; g < 16; ++g) {
    scales[g] = best_scale<16>(x + 16 * g, nullptr, codes, sweep);
    weights[g] = moments<16, false>(x + 16 * g, nullptr, inverse_or_zero(scales[g]), 0.0f, codes).qq;
  }
  GroupScales result;
  result.d = f16_scale(best_scale<16>(scales, weights, scale_codes, unit_sweep));
  const float d = f32_from_f16(result.d);
  const float inverse = inverse_or_zero(d);
  for (int g = 0; g < 16; ++g) {
    result.scales[g] = best_scale_code(x + 16 * g, codes, d, nearest_code(scales[g] * inverse, scale_codes), scale_codes);
  }
  return result;
}

AffineGroups best_affine_groups(const float* x, CodeRange codes) noexcept {
  float scales[8], mins[8], weights[8], mean_codes[8];
  for (int b = 0; b < 8; ++b) {
    Affine fit = best_affine<32>(x + 32 * b, codes, {-0.5f, 1.0f, 0.5f});
    if (fit.min > 0.0f) {
      fit.scale = best_scale<32>(x + 32 * b, nullptr, codes, {-0.5f, 1.0f, 0.5f});
      fit = {fit.scale > 0.0f ? fit.scale : 0.0f, 0.0f};
    }
    const Moments m = moments<32, false>(x + 32 * b, nullptr, inverse_or_zero(fit.scale), fit.min, codes);
    scales[b] = fit.scale;
    mins[b] = -fit.min;
    mean_codes[b] = m.q / 32;
    weights[b] = m.qq - m.q * m.q / 32;
  }
  AffineGroups result;
  result.d = f16_scale(best_scale<8>(scales, weights, kSixBits, {-2.0f, 2.0f, 0.5f}));
  const float d = f32_from_f16(result.d);
  const float inverse = inverse_or_zero(d);
  float start_scales[8];
  for (int b = 0; b < 8; ++b) {
    start_scales[b] = nearest_code(scales[b] * inverse, kSixBits);
    mins[b] -= mean_codes[b] * (scales[b] - d * start_scales[b]);
  }
  float positive_mins[8];
  for (int b = 0; b < 8; ++b) positive_mins[b] = mins[b] > 0.0f ? mins[b] : 0.0f;
  result.d_min = f16_scale(best_scale<8>(positive_mins, nullptr, kSixBits, {-2.0f, 2.0f, 0.5f}));
  const float d_min = f32_from_f16(result.d_min);
  const float inverse_min = inverse_or_zero(d_min);
  for (int b = 0; b < 8; ++b) {
    float best_error = 3e38f;
    for (int ds = -1; ds <= 1; ++ds) {
      const float s = nearest_code(start_scales[b] + static_cast<float>(ds), kSixBits);
      const float m0 = nearest_code((mins[b] + mean_codes[b] * d * (s - start_scales[b])) * inverse_min, kSixBits);
      for (int dm = -1; dm <= 1; ++dm) {
        const float m = nearest_code(m0 + static_cast<float>(dm), kSixBits);
        const float error = squared_error<32>(x + 32 * b, {d * s, -(d_min * m)}, codes);
        if (error < best_error) {
          best_error = error;
          result.scales[b] = static_cast<int>(s);
          result.mins[b] = static_cast<int>(m);
        }
      }
    }
  }
  return result;
}

} // namespace mote::quant

#include "lib/decoder/rope_table.h"

#include <algorithm>
#include <cmath>

#include "lib/decoder/portable_math.h"

namespace mote::decoder {

namespace {

/// Pairs up to low keep their frequency, those from high on are divided by the factor.
struct YarnRamp {
  double low, high, factor;

  YarnRamp(const YarnSpec& yarn, int dims, double log_base) : factor(yarn.factor) {
    // the dimension whose frequency turns that many times in the original context
    const auto dim_of = [&](double turns) {
      return dims * log_of(yarn.original_ctx / (turns * 2 * 3.14159265358979323846)) / (2 * log_base);
    };
    low = std::max(std::floor(dim_of(yarn.beta_fast)), 0.0);
    high = std::min(std::ceil(dim_of(yarn.beta_slow)), dims - 1.0);
    if (low == high) high += 0.001;
  }
  float frequency(float own, int pair) const {
    const double stretched = std::clamp((pair - low) / (high - low), 0.0, 1.0);
    return static_cast<float>(own * (stretched / factor + (1 - stretched)));
  }
};

} // namespace

RopeTable::RopeTable(const RopeSpec& spec, int n_ctx) : magnitude_(spec.magnitude) {
  const int n_pairs = spec.dims / 2;
  const double log_base = log_of(spec.base);
  const auto& factors = !spec.long_factors.empty() && n_ctx > spec.n_short_ctx ? spec.long_factors : spec.factors;
  for (int i = 0; i < n_pairs; ++i) {
    const auto power = static_cast<float>(exp_of(log_base * (static_cast<double>(2 * i) / spec.dims)));
    const float frequency = 1.0f / power;
    if (spec.yarn) frequencies_.push_back(YarnRamp(*spec.yarn, spec.dims, log_base).frequency(frequency, i));
    else frequencies_.push_back(factors.empty() ? frequency : frequency / factors[static_cast<std::size_t>(i)]);
  }
}

void RopeTable::fill(int position, float* cos, float* sin) const noexcept {
  for (std::size_t i = 0; i < frequencies_.size(); ++i) {
    double c = 0, s = 0;
    cos_sin_of(static_cast<double>(static_cast<float>(position) * frequencies_[i]), c, s);
    cos[i] = static_cast<float>(c) * magnitude_;
    sin[i] = static_cast<float>(s) * magnitude_;
  }
}

} // namespace mote::decoder

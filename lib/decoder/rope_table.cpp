#include "lib/decoder/rope_table.h"

#include "lib/decoder/portable_math.h"

namespace mote::decoder {

RopeTable::RopeTable(const RopeSpec& spec, int n_ctx) : magnitude_(spec.magnitude) {
  const int n_pairs = spec.dims / 2;
  const double log_base = log_of(spec.base);
  const auto& factors = !spec.long_factors.empty() && n_ctx > spec.n_short_ctx ? spec.long_factors : spec.factors;
  for (int i = 0; i < n_pairs; ++i) {
    const auto power = static_cast<float>(exp_of(log_base * (static_cast<double>(2 * i) / spec.dims)));
    const float frequency = 1.0f / power;
    frequencies_.push_back(factors.empty() ? frequency : frequency / factors[static_cast<std::size_t>(i)]);
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

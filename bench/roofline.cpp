#include "bench/roofline.h"

#include <cmath>
#include <limits>

#include "bench/bandwidth.h"
#include "bench/peaks.h"

namespace bench {
namespace {

/// Not a number where something is done at an unknown rate.
double seconds(std::int64_t amount, double per_second) {
  if (amount == 0) return 0;
  return per_second > 0 ? static_cast<double>(amount) / per_second : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

double Roofline::least_ns(const mote::StepProfile& step) const {
  const double reading = seconds(step.bytes, read_bandwidth);
  const double computing = seconds(step.operations - step.float_operations, int8) + seconds(step.float_operations, fp32);
  return 1e9 * (std::isnan(computing) || computing > reading ? computing : reading);
}

mote::Result<Roofline> Rooflines::measure(mote::Isa isa, int n_threads) {
  const auto known = rooflines_.find({isa, n_threads});
  if (known != rooflines_.end()) return known->second;
  double& read_bandwidth = read_bandwidths_[n_threads];
  if (read_bandwidth == 0) {
    const auto measured = measure_read_bandwidth(n_threads);
    if (!measured) return measured.error();
    read_bandwidth = *measured;
  }
  const auto peaks = measure_peaks(isa, n_threads);
  if (!peaks) return peaks.error();
  return rooflines_[{isa, n_threads}] = {read_bandwidth, 2 * peaks->int8, 2 * peaks->fp32};
}

} // namespace bench

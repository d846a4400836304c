#include "bench/meters.h"

#include <utility>

namespace bench {

mote::Result<Meters> Meters::create(const std::optional<PowerFile>& file) {
  auto energy = file ? EnergyMeter::of_file(*file) : EnergyMeter::of_packages("/sys/class/powercap");
  if (file && !energy) return std::move(energy).error();
  return Meters(perf_events(), std::move(energy));
}

Meters::Meters(std::unique_ptr<CounterSource> counters, mote::Result<std::unique_ptr<EnergyMeter>> energy)
    : counters_(std::move(counters)) {
  if (energy) energy_ = *std::move(energy);
  else energy_unavailable_ = std::move(energy).error().message;
}

Usage Meters::read() {
  Usage usage;
  usage.counts = counters_.read();
  if (!energy_unavailable_.empty()) return usage;
  const auto joules = energy_->joules();
  if (joules) usage.joules = *joules;
  else energy_unavailable_ = joules.error().message;
  return usage;
}

} // namespace bench

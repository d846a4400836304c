/// What a run used of the processor and of energy, beside time.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "bench/counters.h"
#include "bench/energy.h"

namespace bench {

/// The counters of all threads that are started after it, and the energy of the machine. What is not available reads as 0.
class Meters {
 public:
  /// Energy from the file, or where there is none, from the processor's packages. Error: io (the file).
  static mote::Result<Meters> create(const std::optional<PowerFile>& file);
  /// energy: a meter, or why there is none.
  Meters(std::unique_ptr<CounterSource> counters, mote::Result<std::unique_ptr<EnergyMeter>> energy);

  /// So far.
  Usage read();
  /// Why there are none; empty: there are.
  const std::string& counters_unavailable() const noexcept { return counters_.unavailable(); }
  const std::string& energy_unavailable() const noexcept { return energy_unavailable_; }
  std::string energy_source() const { return energy_ ? energy_->source() : ""; }

 private:
  Counters counters_;
  std::unique_ptr<EnergyMeter> energy_;
  std::string energy_unavailable_;
};

} // namespace bench

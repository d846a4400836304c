/// Hardware counters of this process, where the system lets it read them.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "bench/usage.h"
#include "mote/result.h"

namespace bench {

/// Where a count comes from: perf_event_open, or a test.
class CounterSource {
 public:
  virtual ~CounterSource() = default;
  enum class Event : std::uint8_t { cycles, instructions, cache_misses };
  /// Begins to count. Error: unsupported, and why.
  virtual mote::Status open(Event event) = 0;
  /// Since it was opened; stretched to all of the time where events took turns. Error: io.
  virtual mote::Result<std::int64_t> read(Event event) = 0;
};
std::unique_ptr<CounterSource> perf_events();

/// Of the thread that makes it and of all threads that this one starts afterwards.
class Counters {
 public:
  /// All three counts or none.
  explicit Counters(std::unique_ptr<CounterSource> source);
  /// Why there are none; empty: there are.
  const std::string& unavailable() const noexcept { return unavailable_; }
  /// Since the start; zeros where there are none.
  Counts read();

 private:
  std::unique_ptr<CounterSource> source_;
  std::string unavailable_;
};

} // namespace bench

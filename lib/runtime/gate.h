/// A number that threads wait to see change: first awake, for a bounded time, then asleep.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

namespace mote::runtime {

/// Waiters and openers may be any threads. What was written before open() is seen by who returns from wait_past().
class alignas(64) Gate {
 public:
  std::uint32_t value() const noexcept { return value_.load(std::memory_order_acquire); }
  /// Changes the value and wakes all who wait for that.
  void open() noexcept;
  /// Returns when the value is not `seen` any more. Stays awake for at most `limit`, then sleeps; false if it slept.
  bool wait_past(std::uint32_t seen, std::chrono::nanoseconds limit) noexcept;

 private:
  std::atomic<std::uint32_t> value_{0};
  std::atomic<std::uint32_t> n_sleepers_{0};
};

} // namespace mote::runtime

/// A clock that costs less to read than the system's.
#pragma once
#include <chrono>
#include <cstdint>

namespace mote::runtime {

/// Counts ticks of the processor's counter, where that runs at one speed whatever the cores do, else nanoseconds of
/// std::chrono::steady_clock. The counter is read without waiting for the instructions before: some tens of nanoseconds may be
/// taken for a stretch's neighbour's.
class TickClock {
 public:
  TickClock() noexcept : has_counter_(has_steady_counter()), origin_(moment()) {}

  std::int64_t now() const noexcept { return has_counter_ ? counter() : steady_ns(); }

  /// How ticks are told as nanoseconds of steady_clock: by both clocks' way since the TickClock was made.
  class Scale {
   public:
    std::int64_t duration_ns(std::int64_t ticks) const noexcept {
      return static_cast<std::int64_t>(static_cast<double>(ticks) * ns_per_tick_);
    }
    std::int64_t time_ns(std::int64_t ticks) const noexcept { return origin_ns_ + duration_ns(ticks - origin_ticks_); }

   private:
    friend class TickClock;
    double ns_per_tick_ = 1;
    std::int64_t origin_ticks_ = 0, origin_ns_ = 0;
  };
  Scale scale() const noexcept;

 private:
  struct Moment {
    std::int64_t ticks, ns;
  };
  static bool has_steady_counter() noexcept;
  static std::int64_t counter() noexcept {
#if defined(__x86_64__)
    return static_cast<std::int64_t>(__builtin_ia32_rdtsc());
#elif defined(__aarch64__)
    std::int64_t ticks;
    asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return steady_ns();
#endif
  }
  static std::int64_t steady_ns() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  Moment moment() const noexcept;

  bool has_counter_;
  Moment origin_;
};

} // namespace mote::runtime

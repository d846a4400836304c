#include "lib/runtime/tick_clock.h"

#include <limits>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace mote::runtime {

bool TickClock::has_steady_counter() noexcept {
#if defined(__x86_64__)
  constexpr unsigned kPowerManagement = 0x80000007, kInvariantCounter = 1u << 8; // of edx
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(kPowerManagement, &eax, &ebx, &ecx, &edx) != 0 && (edx & kInvariantCounter) != 0;
#elif defined(__aarch64__)
  return true; // the architecture promises it
#else
  return false;
#endif
}

/// Both clocks at the same time: the try in which nothing came between them.
TickClock::Moment TickClock::moment() const noexcept {
  constexpr int kTries = 8;
  Moment best{0, 0};
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < kTries; ++i) {
    const std::int64_t before = steady_ns(), ticks = now(), after = steady_ns();
    if (after - before >= least) continue;
    least = after - before;
    best = {ticks, before + (after - before) / 2};
  }
  return best;
}

TickClock::Scale TickClock::scale() const noexcept {
  const Moment end = moment();
  Scale scale;
  scale.origin_ticks_ = origin_.ticks;
  scale.origin_ns_ = origin_.ns;
  if (has_counter_ && end.ticks > origin_.ticks)
    scale.ns_per_tick_ = static_cast<double>(end.ns - origin_.ns) / static_cast<double>(end.ticks - origin_.ticks);
  return scale;
}

} // namespace mote::runtime

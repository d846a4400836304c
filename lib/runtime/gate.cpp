#include "lib/runtime/gate.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#endif

namespace mote::runtime {
namespace {

using Clock = std::chrono::steady_clock;

/// Tells the core that this is a spin loop: it saves power and leaves the execution units to its other hardware thread.
inline void pause_core() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory"); // "yield" does nothing on most cores
#endif
}

// std::atomic::wait would do, but the one of libstdc++ spins and yields before it sleeps, by its own measure.
void sleep_while(std::atomic<std::uint32_t>& value, std::uint32_t seen) noexcept {
#if defined(__linux__)
  static_assert(sizeof(value) == 4 && std::atomic<std::uint32_t>::is_always_lock_free);
  syscall(SYS_futex, &value, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
#else
  value.wait(seen, std::memory_order_acquire);
#endif
}

void wake_all(std::atomic<std::uint32_t>& value) noexcept {
#if defined(__linux__)
  syscall(SYS_futex, &value, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
#else
  value.notify_all();
#endif
}

} // namespace

// A sleeper counts itself before the kernel (or atomic::wait) compares the value; open() changes the value before it reads
// the count. Both are sequentially consistent, so one of the two sees the other: no wake-up is lost.
void Gate::open() noexcept {
  value_.fetch_add(1, std::memory_order_seq_cst);
  if (n_sleepers_.load(std::memory_order_seq_cst) != 0) wake_all(value_);
}

bool Gate::wait_past(std::uint32_t seen, std::chrono::nanoseconds limit) noexcept {
  constexpr int kChecksPerClockRead = 16;
  if (value() != seen) return true;
  if (limit.count() > 0) {
    const Clock::time_point end = Clock::now() + limit;
    do {
      for (int i = 0; i < kChecksPerClockRead; ++i) {
        if (value() != seen) return true;
        pause_core();
      }
    } while (Clock::now() < end);
  }
  n_sleepers_.fetch_add(1, std::memory_order_seq_cst);
  while (value_.load(std::memory_order_seq_cst) == seen) sleep_while(value_, seen);
  n_sleepers_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

} // namespace mote::runtime

#include <algorithm>
#include <thread>

#include "lib/runtime/cpus.h"

#if defined(__linux__)
#include <sched.h>
#endif

// By itself, so that tests can link another one and have as many threads as they like on any machine.
namespace mote::runtime {

int available_cpu_count() noexcept {
#if defined(__linux__)
  cpu_set_t mask; // 1024 processors; on a larger machine the call fails and all of them are counted
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) return std::max(1, CPU_COUNT(&mask));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

} // namespace mote::runtime

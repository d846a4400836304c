/// Wall time.
#pragma once
#include <chrono>
#include <cstdint>

namespace bench {

using Clock = std::chrono::steady_clock;

inline std::int64_t ns_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count();
}
inline std::int64_t ns_since(Clock::time_point begin) { return ns_between(begin, Clock::now()); }

} // namespace bench

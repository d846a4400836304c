/// What a stretch of work used beside time.
#pragma once
#include <cstdint>

namespace bench {

/// Events in user space, of all threads.
struct Counts {
  std::int64_t cycles = 0, instructions = 0, cache_misses = 0;
};

struct Usage {
  Counts counts;
  double joules = 0;

  Usage& operator+=(const Usage& other) {
    counts.cycles += other.counts.cycles;
    counts.instructions += other.counts.instructions;
    counts.cache_misses += other.counts.cache_misses;
    joules += other.joules;
    return *this;
  }
};

inline Usage operator-(const Usage& a, const Usage& b) {
  return {{a.counts.cycles - b.counts.cycles, a.counts.instructions - b.counts.instructions,
           a.counts.cache_misses - b.counts.cache_misses},
          a.joules - b.joules};
}

} // namespace bench

/// How fast this machine reads memory: the limit of decode.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "bench/pages.h"
#include "bench/team.h"
#include "mote/result.h"

namespace bench {

/// Threads that read memory, each one stream of its own in huge pages; together a buffer larger than the caches.
class MemoryReader {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{256} << 20;
  /// Error: out_of_memory.
  static mote::Result<MemoryReader> start(int n_threads);
  int n_threads() const noexcept { return team_->n_threads(); }
  /// Bytes per second of all threads together over the next n_bytes, at most kBufferBytes, of the buffer.
  double read(std::size_t n_bytes);

 private:
  MemoryReader(std::unique_ptr<Team> team, Pages<std::uint64_t> words);
  std::unique_ptr<Team> team_;
  Pages<std::uint64_t> words_;
  std::size_t n_words_; ///< of each thread
  std::size_t next_ = 0;
};

/// Bytes per second that n_threads together read from memory: the best of several passes over the buffer, about a fifth of a
/// second in all. Error: out_of_memory.
mote::Result<double> measure_read_bandwidth(int n_threads);

} // namespace bench

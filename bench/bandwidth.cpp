#include "bench/bandwidth.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <utility>

namespace bench {
namespace {

/// Reads all words; the result only keeps the compiler from leaving that out. Sixteen independent sums become vector
/// registers, enough of them for a core to have all the loads in flight that it can. Sanitizers would check each word.
__attribute__((no_sanitize("address", "thread", "undefined"))) std::uint64_t read_all(const std::uint64_t* words,
                                                                                      std::size_t n_words) {
  constexpr std::size_t kSums = 16;
  std::uint64_t sums[kSums] = {};
  for (std::size_t i = 0; i + kSums <= n_words; i += kSums)
    for (std::size_t j = 0; j < kSums; ++j) sums[j] ^= words[i + j];
  std::uint64_t all = 0;
  for (const std::uint64_t sum : sums) all ^= sum;
  return all;
}

} // namespace

mote::Result<MemoryReader> MemoryReader::start(int n_threads) {
  auto words = allocate_pages<std::uint64_t>(kBufferBytes / sizeof(std::uint64_t));
  if (!words) return mote::Error{mote::ErrorCode::out_of_memory, "out of memory: no buffer to measure the read bandwidth with"};
  auto team = Team::start(n_threads);
  if (!team) return team.error();
  return MemoryReader(*std::move(team), std::move(words));
}

MemoryReader::MemoryReader(std::unique_ptr<Team> team, Pages<std::uint64_t> words)
    : team_(std::move(team)), words_(std::move(words)),
      n_words_(kBufferBytes / sizeof(std::uint64_t) / static_cast<std::size_t>(n_threads())) {
  // The pages come to be, near the thread that will read them.
  team_->time([&](int thread) {
    std::memset(words_.get() + static_cast<std::size_t>(thread) * n_words_, thread % 128 + 1, n_words_ * sizeof(std::uint64_t));
  });
}

double MemoryReader::read(std::size_t n_bytes) {
  const std::size_t n = std::min(n_bytes / sizeof(std::uint64_t) / static_cast<std::size_t>(n_threads()), n_words_);
  if (next_ + n > n_words_) next_ = 0;
  std::atomic<std::uint64_t> sink{0};
  const double seconds = team_->time([&](int thread) {
    sink.fetch_xor(read_all(words_.get() + static_cast<std::size_t>(thread) * n_words_ + next_, n));
  });
  next_ += n;
  return static_cast<double>(static_cast<std::size_t>(n_threads()) * n * sizeof(std::uint64_t)) / seconds;
}

mote::Result<double> measure_read_bandwidth(int n_threads) {
  constexpr int kPasses = 10;
  auto reader = MemoryReader::start(n_threads);
  if (!reader) return reader.error();
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) best = std::max(best, reader->read(MemoryReader::kBufferBytes));
  return best;
}

} // namespace bench

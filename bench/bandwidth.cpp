#include "bench/bandwidth.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <limits>

#include "bench/pages.h"
#include "bench/team.h"

namespace bench {
namespace {

constexpr std::size_t kBufferWords = (std::size_t{256} << 20) / sizeof(std::uint64_t);
constexpr int kPasses = 10;

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

mote::Result<double> measure_read_bandwidth(int n_threads) {
  const Pages<std::uint64_t> words = allocate_pages<std::uint64_t>(kBufferWords);
  if (!words) return mote::Error{mote::ErrorCode::out_of_memory, "out of memory: no buffer to measure the read bandwidth with"};
  const auto team = Team::start(n_threads);
  if (!team) return team.error();
  const std::size_t n_words = kBufferWords / static_cast<std::size_t>(n_threads);
  const auto words_of = [&](int thread) { return words.get() + static_cast<std::size_t>(thread) * n_words; };
  // The pages come to be, near the thread that will read them.
  (*team)->time([&](int thread) { std::memset(words_of(thread), thread % 128 + 1, n_words * sizeof(std::uint64_t)); });
  std::atomic<std::uint64_t> sink{0};
  double best = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < kPasses; ++pass)
    best = std::min(best, (*team)->time([&](int thread) { sink.fetch_xor(read_all(words_of(thread), n_words)); }));
  return static_cast<double>(static_cast<std::size_t>(n_threads) * n_words * sizeof(std::uint64_t)) / best;
}

} // namespace bench

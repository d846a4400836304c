#include "bench/bandwidth.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBufferBytes = std::size_t{256} << 20, kHugePage = std::size_t{2} << 20;
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

/// What the threads share.
struct Measurement {
  struct Lap {
    Clock::time_point begin, end;
  };
  std::uint64_t* words;
  std::size_t words_per_thread;
  std::barrier<> meeting;
  std::vector<Lap> laps; // [kPasses, n_threads]
  std::atomic<std::uint64_t> sink{0};

  void take_part(std::size_t thread) {
    std::uint64_t* const mine = words + thread * words_per_thread;
    // The pages come to be, near the thread that will read them.
    std::memset(mine, static_cast<int>(thread % 128 + 1), words_per_thread * sizeof(std::uint64_t));
    for (int pass = 0; pass < kPasses; ++pass) {
      Lap& lap = laps[static_cast<std::size_t>(pass) * (laps.size() / kPasses) + thread];
      meeting.arrive_and_wait();
      lap.begin = Clock::now();
      sink.fetch_xor(read_all(mine, words_per_thread));
      lap.end = Clock::now();
    }
  }

  /// Seconds of the fastest pass, from the first thread's begin to the last one's end.
  double best() const {
    const std::size_t n_threads = laps.size() / kPasses;
    auto least = Clock::duration::max();
    for (auto pass = laps.begin(); pass != laps.end(); pass += static_cast<std::ptrdiff_t>(n_threads)) {
      Lap all = *pass;
      for (auto lap = pass; lap != pass + static_cast<std::ptrdiff_t>(n_threads); ++lap)
        all = {std::min(all.begin, lap->begin), std::max(all.end, lap->end)};
      least = std::min(least, all.end - all.begin);
    }
    return std::chrono::duration<double>(least).count();
  }
};

} // namespace

mote::Result<double> measure_read_bandwidth(int n_threads) {
  const mote::Error out_of_memory{mote::ErrorCode::out_of_memory, "out of memory: no buffer to measure the read bandwidth with"};
  const std::unique_ptr<void, void (*)(void*)> buffer(std::aligned_alloc(kHugePage, kBufferBytes), std::free);
  if (!buffer) return out_of_memory;
#ifdef MADV_HUGEPAGE
  madvise(buffer.get(), kBufferBytes, MADV_HUGEPAGE);
#endif
  const auto n = static_cast<std::size_t>(n_threads);
  Measurement measurement{static_cast<std::uint64_t*>(buffer.get()), kBufferBytes / sizeof(std::uint64_t) / n,
                          std::barrier<>(n_threads), std::vector<Measurement::Lap>(kPasses * n)};
  std::vector<std::thread> helpers;
  helpers.reserve(n - 1);
  for (std::size_t thread = 1; thread < n; ++thread) {
    try {
      helpers.emplace_back([&measurement, thread] { measurement.take_part(thread); });
    } catch (const std::system_error&) {
      // Those that were started must not wait for those that were not.
      for (std::size_t missing = thread; missing <= n; ++missing) measurement.meeting.arrive_and_drop();
      for (std::thread& helper : helpers) helper.join();
      return mote::Error{mote::ErrorCode::out_of_memory,
                         "out of memory: not all threads to measure the read bandwidth could be started"};
    }
  }
  measurement.take_part(0);
  for (std::thread& helper : helpers) helper.join();
  return static_cast<double>(n * measurement.words_per_thread * sizeof(std::uint64_t)) / measurement.best();
}

} // namespace bench

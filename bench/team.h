/// Threads that begin the same work at the same moment, timed together.
#pragma once
#include <atomic>
#include <barrier>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "mote/result.h"

namespace bench {

/// n_threads threads, the caller's among them; the others sleep between calls.
class Team {
 public:
  /// Error: out_of_memory, when not all of them can be started.
  static mote::Result<std::unique_ptr<Team>> start(int n_threads);
  ~Team();
  int n_threads() const noexcept { return static_cast<int>(laps_.size()); }
  /// Calls work(thread) on every thread and waits for all. Returns the seconds from when the first begins, all being awake, to
  /// when the last is done.
  double time(const std::function<void(int)>& work);

 private:
  using Clock = std::chrono::steady_clock;
  struct Lap {
    Clock::time_point begin, end;
  };
  explicit Team(int n_threads) : meeting_(n_threads), laps_(static_cast<std::size_t>(n_threads)) {}
  bool take_part(int thread);

  const std::function<void(int)>* work_ = nullptr; ///< null when time() is called no more
  std::barrier<> meeting_;
  std::atomic<int> n_awake_{0};
  std::vector<Lap> laps_;
  std::vector<std::thread> helpers_;
};

} // namespace bench

/// Threads that run the same function and meet at barriers.
#pragma once
#include <memory>

#include "mote/result.h"

namespace mote::runtime {

/// The caller of run() is thread 0; the others sleep between runs and use no CPU. Waiting, in run() and at barriers, spins for
/// a bounded time and then sleeps, so that more threads than cores, or a core taken away, cost little.
class ThreadPool {
 public:
  /// n_threads >= 1. Error: out_of_memory (a thread could not be started).
  static Result<std::unique_ptr<ThreadPool>> create(int n_threads);
  virtual ~ThreadPool() = default;
  virtual int size() const noexcept = 0;
  /// Calls fn(context, thread) on threads 0 .. size() - 1 and returns when all have returned. Allocates nothing.
  virtual void run(void (*fn)(void* context, int thread), void* context) noexcept = 0;
  /// Called by all threads inside run(): none returns before all have called. What was written before is seen after.
  virtual void barrier() noexcept = 0;
};

} // namespace mote::runtime

/// Threads that run the same function and meet at barriers.
#pragma once
#include <memory>

#include "mote/result.h"

namespace mote::runtime {

/// The caller of run() is thread 0; the others sleep between runs and use no CPU. Waiting, in run() and at barriers, is awake for
/// a bounded time and then asleep, so that a core taken away costs little.
/// One thread at a time may call run(); the helper threads take none of the application's asynchronous signals.
class ThreadPool {
 public:
  /// n_threads >= 1. Errors: invalid_argument, out_of_memory (a thread could not be started).
  static Result<std::unique_ptr<ThreadPool>> create(int n_threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int size() const noexcept;
  /// Calls fn(context, thread) on threads 0 .. n_threads - 1 (1 <= n_threads <= size(); the others sleep on) and returns when all
  /// have returned. Allocates nothing.
  void run(int n_threads, void (*fn)(void* context, int thread), void* context) noexcept;
  void run(void (*fn)(void* context, int thread), void* context) noexcept { run(size(), fn, context); }
  /// Called by all threads of a run, inside it: none returns before all have called. What was written before is seen after.
  void barrier() noexcept;

 private:
  struct Impl;
  explicit ThreadPool(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

} // namespace mote::runtime

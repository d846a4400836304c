#include "lib/runtime/thread_pool.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "lib/runtime/gate.h"

namespace mote::runtime {
namespace {

using std::chrono::nanoseconds;

// A step of a small model takes 10 to 100 microseconds, and a sleeping thread takes as long to wake up, so threads wait awake
// that long for each other. Where the one waited for has no processor to run on, waiting awake only keeps it from getting one:
// after each wait in vain the limit halves until waits succeed again.
constexpr nanoseconds kLongWait{50'000}, kShortWait{2'000};

/// While it lives, threads that are started inherit a mask that keeps the application's signals (timers, interrupts, child
/// processes) from being delivered to them. Faults of the thread itself, and profilers, still get through.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int kept : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) sigdelset(&blocked, kept);
    pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

void name_this_thread(int thread) noexcept {
#if defined(__linux__)
  char name[] = "mote-0000"; // at most 15 characters
  for (char* digit = name + sizeof(name) - 2; thread > 0 && *digit == '0'; thread /= 10, --digit)
    *digit = static_cast<char>('0' + thread % 10);
  pthread_setname_np(pthread_self(), name);
#else
  static_cast<void>(thread);
#endif
}

} // namespace

struct ThreadPool::Impl {
  explicit Impl(int n) : n_threads(n), starts(std::make_unique<Gate[]>(static_cast<std::size_t>(n))) {}
  ~Impl();
  void help(int thread) noexcept;
  void barrier() noexcept;

  const int n_threads;
  std::vector<std::thread> helpers;
  // Of the current run; written by its caller while the helpers wait to start.
  void (*fn)(void*, int) = nullptr; // null: the helpers end
  void* context = nullptr;
  int n_taking_part = 0;

  const std::unique_ptr<Gate[]> starts; // [n_threads], of each helper; opened when the above is set
  Gate done;                            // opened by the helper that returns last
  Gate barrier_gate;                    // opened by the thread that arrives last
  alignas(64) std::atomic<int> n_running{0};
  alignas(64) std::atomic<int> n_arrived{0};
  alignas(64) std::atomic<nanoseconds::rep> barrier_spin{0};
};

void ThreadPool::Impl::help(int thread) noexcept {
  name_this_thread(thread);
  nanoseconds spin{0};
  // The gate is made with 0 and every run that the helper takes part in opens it once, so one that comes late misses no run.
  for (std::uint32_t n_runs = 0;; ++n_runs) {
    starts[static_cast<std::size_t>(thread)].wait_past(n_runs, spin);
    if (fn == nullptr) return;
    fn(context, thread);
    spin = kLongWait;
    if (n_running.fetch_sub(1, std::memory_order_acq_rel) == 1) done.open();
  }
}

void ThreadPool::Impl::barrier() noexcept {
  const std::uint32_t seen = barrier_gate.value(); // before arriving: it cannot change until this thread has arrived
  if (n_arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == n_taking_part) {
    n_arrived.store(0, std::memory_order_relaxed);
    barrier_gate.open();
    return;
  }
  const nanoseconds spin{barrier_spin.load(std::memory_order_relaxed)};
  const bool stayed_awake = barrier_gate.wait_past(seen, spin);
  const nanoseconds next = stayed_awake ? std::min(spin * 2, kLongWait) : std::max(spin / 2, kShortWait);
  if (next != spin) barrier_spin.store(next.count(), std::memory_order_relaxed);
}

ThreadPool::Impl::~Impl() {
  fn = nullptr;
  for (std::size_t i = 0; i < helpers.size(); ++i) starts[i + 1].open();
  for (std::thread& helper : helpers) helper.join();
}

ThreadPool::ThreadPool(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
ThreadPool::~ThreadPool() = default;

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(int n_threads) {
  if (n_threads < 1)
    return Error{ErrorCode::invalid_argument, "thread pool: at least 1 thread is needed, found " + std::to_string(n_threads)};
  auto impl = std::make_unique<Impl>(n_threads);
  impl->helpers.reserve(static_cast<std::size_t>(n_threads - 1));
  const SignalsBlocked blocked;
  for (int thread = 1; thread < n_threads; ++thread) {
    try {
      impl->helpers.emplace_back(&Impl::help, impl.get(), thread);
    } catch (const std::system_error&) {
      return Error{ErrorCode::out_of_memory, "thread pool: thread " + std::to_string(thread + 1) + " of " +
                                                 std::to_string(n_threads) + " could not be started"};
    }
  }
  return std::unique_ptr<ThreadPool>(new ThreadPool(std::move(impl)));
}

int ThreadPool::size() const noexcept { return impl_->n_threads; }

void ThreadPool::run(int n_threads, void (*fn)(void* context, int thread), void* context) noexcept {
  Impl& pool = *impl_;
  pool.n_taking_part = n_threads;
  if (n_threads == 1) return fn(context, 0);
  pool.barrier_spin.store(kLongWait.count(), std::memory_order_relaxed);
  pool.fn = fn;
  pool.context = context;
  pool.n_running.store(n_threads - 1, std::memory_order_relaxed);
  const std::uint32_t seen = pool.done.value();
  for (int thread = 1; thread < n_threads; ++thread) pool.starts[static_cast<std::size_t>(thread)].open();
  fn(context, 0);
  pool.done.wait_past(seen, kLongWait);
}

void ThreadPool::barrier() noexcept {
  if (impl_->n_taking_part > 1) impl_->barrier();
}

} // namespace mote::runtime

#include "lib/runtime/thread_pool.h"

#include <signal.h>
#include <time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "lib/runtime/gate.h"
#include "tests/catch.h"

using mote::runtime::Gate;
using mote::runtime::ThreadPool;

namespace {

using namespace std::chrono_literals;

std::unique_ptr<ThreadPool> make_pool(int n_threads) {
  auto pool = ThreadPool::create(n_threads);
  REQUIRE(pool);
  return *std::move(pool);
}

/// fn(thread) on all threads of the pool.
template <class Fn> void run(ThreadPool& pool, Fn&& fn) {
  pool.run([](void* context, int thread) { (*static_cast<std::remove_reference_t<Fn>*>(context))(thread); }, &fn);
}

double process_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

} // namespace

TEST_CASE("A thread pool runs the function once on each thread", "[runtime]") {
  for (const int n_threads : {1, 2, 3, 4, 9}) {
    const auto pool = make_pool(n_threads);
    REQUIRE(pool->size() == n_threads);
    std::vector<int> n_calls(static_cast<std::size_t>(n_threads)); // not atomic: each thread writes its own
    constexpr int kRuns = 200;
    for (int i = 0; i < kRuns; ++i) run(*pool, [&](int thread) { ++n_calls[static_cast<std::size_t>(thread)]; });
    for (const int n : n_calls) REQUIRE(n == kRuns);
  }
}

TEST_CASE("Thread 0 of a pool is the caller", "[runtime]") {
  const auto pool = make_pool(3);
  std::array<std::thread::id, 3> ids;
  run(*pool, [&](int thread) { ids[static_cast<std::size_t>(thread)] = std::this_thread::get_id(); });
  CHECK(ids[0] == std::this_thread::get_id());
  CHECK(ids[1] != ids[0]);
  CHECK(ids[2] != ids[0]);
  CHECK(ids[1] != ids[2]);
}

TEST_CASE("What is written before a barrier is read after it by all threads", "[runtime]") {
  for (const int n_threads : {1, 2, 4, 7}) {
    const auto pool = make_pool(n_threads);
    const auto n = static_cast<std::size_t>(n_threads);
    std::vector<int> current(n), next(n); // each step, a thread takes the value of its neighbour, plus one
    std::atomic<int> n_wrong{0};
    constexpr int kSteps = 300;
    run(*pool, [&](int thread) {
      const auto self = static_cast<std::size_t>(thread);
      for (int step = 0; step < kSteps; ++step) {
        next[self] = current[(self + 1) % n] + 1;
        pool->barrier();
        if (next[(self + 1) % n] != step + 1) ++n_wrong;
        current[self] = next[self];
        pool->barrier();
      }
    });
    CHECK(n_wrong == 0);
    for (const int value : current) CHECK(value == kSteps);
  }
}

TEST_CASE("No thread of a pool passes a barrier before all have come", "[runtime]") {
  const auto pool = make_pool(4);
  std::atomic<int> n_come{0}, n_early{0};
  run(*pool, [&](int thread) {
    // Late by much more than a thread waits awake, so that the others are asleep when it comes.
    if (thread == 2) std::this_thread::sleep_for(20ms);
    ++n_come;
    pool->barrier();
    if (n_come != 4) ++n_early;
  });
  CHECK(n_early == 0);
}

TEST_CASE("A run of some threads of a pool leaves the others asleep", "[runtime]") {
  constexpr int kThreads = 5, kRuns = 300;
  const auto pool = make_pool(kThreads);
  std::array<int, kThreads> n_calls{}, n_expected{}; // not atomic: each thread writes its own
  std::atomic<int> n_come{0}, n_early{0};
  for (int i = 0; i < kRuns; ++i) {
    const int n = 1 + i * i % kThreads; // more and fewer than before, and the same again
    n_come = 0;
    const auto call = [&](int thread) {
      ++n_calls[static_cast<std::size_t>(thread)];
      ++n_come;
      pool->barrier();
      if (n_come != n) ++n_early;
    };
    pool->run(
        n, [](void* context, int thread) { (*static_cast<decltype(call)*>(context))(thread); },
        const_cast<void*>(static_cast<const void*>(&call)));
    for (int thread = 0; thread < n; ++thread) ++n_expected[static_cast<std::size_t>(thread)];
  }
  CHECK(n_calls == n_expected);
  CHECK(n_early == 0);
}

TEST_CASE("Threads that wait for the next run use no processor time", "[runtime]") {
  const auto pool = make_pool(8);
  run(*pool, [](int) {});
  std::this_thread::sleep_for(5ms); // they fall asleep
  const double before = process_cpu_seconds();
  std::this_thread::sleep_for(200ms);
  CHECK(process_cpu_seconds() - before < 0.02);
}

TEST_CASE("Helpers of a pool leave the application's signals to its own threads", "[runtime]") {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  const auto pool = make_pool(2);
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(sigismember(&before, SIGINT) == sigismember(&after, SIGINT));
  std::array<sigset_t, 2> masks;
  run(*pool, [&](int thread) { pthread_sigmask(SIG_SETMASK, nullptr, &masks[static_cast<std::size_t>(thread)]); });
  for (const int signal : {SIGINT, SIGTERM, SIGALRM, SIGCHLD, SIGUSR1}) CHECK(sigismember(&masks[1], signal) == 1);
  for (const int signal : {SIGSEGV, SIGFPE, SIGPROF}) CHECK(sigismember(&masks[1], signal) == 0);
}

TEST_CASE("Pools are independent and can be made and ended at any time", "[runtime]") {
  for (int i = 0; i < 50; ++i) make_pool(1 + i % 5); // never run
  const auto outer = make_pool(2), first = make_pool(3), second = make_pool(3);
  std::atomic<int> n_calls{0};
  run(*outer, [&](int thread) {
    ThreadPool& inner = thread == 0 ? *first : *second;
    run(inner, [&](int) {
      inner.barrier();
      ++n_calls;
    });
  });
  CHECK(n_calls == 6);
}

TEST_CASE("A pool of no threads is refused", "[runtime]") {
  for (const int n_threads : {0, -1, -1000}) {
    const auto pool = ThreadPool::create(n_threads);
    REQUIRE_FALSE(pool);
    CHECK(pool.error().code == mote::ErrorCode::invalid_argument);
    CHECK(pool.error().message.find(std::to_string(n_threads)) != std::string::npos);
  }
}

TEST_CASE("A gate lets through who waits, awake or asleep", "[runtime]") {
  Gate gate;
  CHECK(gate.value() == 0);
  int written = 0;
  std::thread opener([&] {
    std::this_thread::sleep_for(10ms);
    written = 1;
    gate.open();
  });
  CHECK_FALSE(gate.wait_past(0, 0ns)); // asleep
  CHECK(written == 1);
  opener.join();
  CHECK(gate.value() == 1);
  CHECK(gate.wait_past(0, 0ns)); // open already: no wait

  std::thread late([&] {
    std::this_thread::sleep_for(1ms);
    written = 2;
    gate.open();
  });
  CHECK(gate.wait_past(1, 60s)); // awake
  CHECK(written == 2);
  late.join();
}

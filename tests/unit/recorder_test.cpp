#include "lib/runtime/recorder.h"

#include <chrono>
#include <set>
#include <string>
#include <thread>

#include "lib/runtime/thread_pool.h"
#include "tests/catch.h"

using mote::Component;
using mote::Operation;
using mote::PhaseProfile;
using mote::Profile;
using mote::runtime::Recorder;
using mote::runtime::StepTag;

namespace {

using namespace std::chrono_literals;

std::vector<StepTag> two_steps() {
  StepTag attention{Component::attention, Operation::mul_mat, 3};
  attention.bytes_fixed = 1000;
  attention.bytes_per_token = 10;
  attention.bytes_per_position = 1;
  attention.ops_per_token = 7;
  attention.ops_per_position = 2;
  StepTag head{Component::lm_head, Operation::mul_mat, -1};
  head.bytes_fixed = 500;
  head.ops_per_token = 9;
  head.outputs_only = true;
  return {attention, head};
}

/// A pass of one thread that spends its time as said.
void pass(Recorder& recorder, std::chrono::milliseconds work0, std::chrono::milliseconds wait0, std::chrono::milliseconds work1) {
  recorder.start(0);
  std::this_thread::sleep_for(work0);
  recorder.worked(0, 0);
  std::this_thread::sleep_for(wait0);
  recorder.waited(0, 0);
  std::this_thread::sleep_for(work1);
  recorder.worked(0, 1);
  recorder.waited(0, 1);
}

std::int64_t attributed(const PhaseProfile& phase) {
  std::int64_t ns = 0;
  for (const auto& step : phase.steps) ns += step.work_ns + step.wait_ns;
  return ns;
}

} // namespace

TEST_CASE("The recorder keeps work and wait of each step apart", "[runtime]") {
  Recorder recorder(two_steps(), 1, 100);
  recorder.begin_call(1);
  recorder.begin_pass(1, 0, 1, 1);
  pass(recorder, 4ms, 8ms, 2ms);
  recorder.end_call();

  const PhaseProfile decode = recorder.report().decode;
  REQUIRE(decode.steps.size() == 2);
  CHECK(decode.steps[0].component == Component::attention);
  CHECK(decode.steps[0].operation == Operation::mul_mat);
  CHECK(decode.steps[0].layer == 3);
  CHECK(decode.steps[1].component == Component::lm_head);
  CHECK(decode.steps[1].layer == -1);
  // A sleep takes at least its time.
  CHECK(decode.steps[0].work_ns >= 4'000'000);
  CHECK(decode.steps[0].wait_ns >= 8'000'000);
  CHECK(decode.steps[1].work_ns >= 2'000'000);
  CHECK(decode.steps[1].wait_ns < 2'000'000);
  CHECK(attributed(decode) <= decode.wall_ns);
  CHECK(attributed(decode) >= decode.wall_ns - 1'000'000);
}

TEST_CASE("Calls of one token are decode, others prefill", "[runtime]") {
  Recorder recorder(two_steps(), 1, 100);
  recorder.begin_call(5); // in two passes, of which the last gives one token's logits
  recorder.begin_pass(3, 0, 0, 1);
  recorder.start(0);
  recorder.worked(0, 0);
  recorder.waited(0, 0);
  recorder.begin_pass(2, 3, 1, 1);
  pass(recorder, 0ms, 0ms, 0ms);
  recorder.end_call();
  for (int i = 0; i < 3; ++i) {
    recorder.begin_call(1);
    recorder.begin_pass(1, 5 + i, 1, 1);
    pass(recorder, 0ms, 0ms, 0ms);
    recorder.end_call();
  }

  const Profile profile = recorder.report();
  CHECK(profile.prefill.n_tokens == 5);
  CHECK(profile.prefill.call_ns.size() == 1);
  CHECK(profile.prefill.call_ns[0] == profile.prefill.wall_ns);
  CHECK(profile.prefill.steps[0].bytes == 2 * 1000 + 5 * 10 + (3 + 5) * 1);
  CHECK(profile.prefill.steps[0].operations == 5 * 7 + 15 * 2);
  CHECK(profile.prefill.steps[1].bytes == 500);
  CHECK(profile.prefill.steps[1].operations == 9);
  CHECK(profile.decode.n_tokens == 3);
  CHECK(profile.decode.call_ns.size() == 3);
  CHECK(profile.decode.steps[0].bytes == 3 * 1000 + 3 * 10 + 21 * 1);
  CHECK(profile.decode.steps[0].operations == 3 * 7 + 21 * 2);
  CHECK(profile.decode.steps[1].bytes == 3 * 500);
}

TEST_CASE("A pass may want the logits of all its tokens", "[runtime]") {
  Recorder recorder(two_steps(), 1, 100);
  recorder.begin_call(4);
  recorder.begin_pass(4, 0, 4, 1);
  pass(recorder, 0ms, 0ms, 0ms);
  recorder.end_call();
  CHECK(recorder.report().prefill.steps[1].operations == 4 * 9);
}

TEST_CASE("A window bounds the positions that are counted", "[runtime]") {
  std::vector<StepTag> steps = two_steps();
  steps[1] = steps[0];
  steps[1].window = 4;
  Recorder recorder(steps, 1, 100);
  recorder.begin_call(5);
  recorder.begin_pass(5, 1, 1, 1); // 2, 3, 4, 5, 6 positions
  pass(recorder, 0ms, 0ms, 0ms);
  recorder.begin_pass(2, 10, 1, 1); // 11 and 12
  pass(recorder, 0ms, 0ms, 0ms);
  recorder.end_call();
  const PhaseProfile prefill = recorder.report().prefill;
  CHECK(prefill.steps[0].operations == 7 * 7 + 2 * (2 + 3 + 4 + 5 + 6 + 11 + 12));
  CHECK(prefill.steps[1].operations == 7 * 7 + 2 * (2 + 3 + 4 + 4 + 4 + 4 + 4));
  CHECK(prefill.steps[0].bytes == 2 * 1000 + 7 * 10 + 6 + 12);
  CHECK(prefill.steps[1].bytes == 2 * 1000 + 7 * 10 + 6 + 5); // the second pass reads 8 .. 12
}

TEST_CASE("Bytes per token may count for some tokens of a pass only", "[runtime]") {
  std::vector<StepTag> steps = two_steps();
  steps[0].most_tokens = 3;
  steps[0].float_ops_per_token = 5;
  Recorder recorder(steps, 1, 100);
  recorder.begin_call(7);
  for (const int n_tokens : {5, 2}) {
    recorder.begin_pass(n_tokens, 0, 1, 1);
    pass(recorder, 0ms, 0ms, 0ms);
  }
  recorder.end_call();
  const mote::StepProfile step = recorder.report().prefill.steps[0];
  CHECK(step.bytes == 2 * 1000 + (3 + 2) * 10 + 5 + 2);
  CHECK(step.operations == 7 * 7 + (15 + 3) * 2);
  CHECK(step.float_operations == 7 * 5 + (15 + 3) * 2);
}

TEST_CASE("Times of several threads are their means and fill the wall time", "[runtime]") {
  constexpr int kThreads = 4;
  Recorder recorder(two_steps(), kThreads, 100);
  auto pool = *mote::runtime::ThreadPool::create(kThreads);
  struct Context {
    Recorder& recorder;
    mote::runtime::ThreadPool& pool;
  } context{recorder, *pool};
  for (int i = 0; i < 3; ++i) {
    recorder.begin_call(1);
    recorder.begin_pass(1, 0, 1, kThreads);
    pool->run(
        [](void* p, int thread) {
          auto& c = *static_cast<Context*>(p);
          c.recorder.start(thread);
          for (int step = 0; step < 2; ++step) {
            if (thread == 0) std::this_thread::sleep_for(8ms); // the others wait for it
            c.recorder.worked(thread, step);
            c.pool.barrier();
            c.recorder.waited(thread, step);
          }
        },
        &context);
    recorder.end_call();
  }
  const PhaseProfile decode = recorder.report().decode;
  for (const auto& step : decode.steps) {
    CHECK(step.work_ns >= 3 * 8'000'000 / kThreads);
    CHECK(step.wait_ns >= 3 * 4'000'000 * (kThreads - 1) / kThreads);
    CHECK(step.wait_ns > step.work_ns);
  }
  CHECK(decode.wall_ns >= 3 * 2 * 8'000'000);
  CHECK(attributed(decode) <= decode.wall_ns);
  CHECK(attributed(decode) >= 3 * 2 * std::int64_t{8'000'000}); // each thread has slept or waited that long
}

TEST_CASE("Waiting for threads that end late belongs to the last step", "[runtime]") {
  Recorder recorder(two_steps(), 2, 100);
  recorder.begin_call(1);
  recorder.begin_pass(1, 0, 1, 2);
  for (const int thread : {0, 1}) {
    recorder.start(thread);
    for (const int step : {0, 1}) {
      recorder.worked(thread, step);
      recorder.waited(thread, step);
    }
  }
  std::this_thread::sleep_for(6ms);
  recorder.end_pass(1);
  recorder.end_call();
  const PhaseProfile decode = recorder.report().decode;
  CHECK(decode.steps[1].wait_ns >= 5'900'000);
  CHECK(decode.steps[1].n_barriers == 1);
  CHECK(attributed(decode) <= decode.wall_ns);
}

TEST_CASE("Threads that do not take part in a pass neither work nor wait", "[runtime]") {
  Recorder recorder(two_steps(), 3, 100);
  recorder.begin_call(1);
  for (int i = 0; i < 2; ++i) {
    recorder.begin_pass(1, i, 1, 1);
    pass(recorder, 3ms, 1ms, 2ms);
    recorder.end_pass(1);
  }
  recorder.end_call();
  const PhaseProfile decode = recorder.report().decode;
  CHECK(decode.steps[0].work_ns >= 2 * 3'000'000);
  CHECK(attributed(decode) >= 2 * std::int64_t{6'000'000});
  CHECK(attributed(decode) <= decode.wall_ns);
}

TEST_CASE("The recorder keeps the times of the first n_ctx calls", "[runtime]") {
  Recorder recorder(two_steps(), 1, 4);
  for (int i = 0; i < 6; ++i) {
    recorder.begin_call(1);
    recorder.end_call();
  }
  CHECK(recorder.report().decode.call_ns.size() == 4);
}

TEST_CASE("A reset recorder is as new", "[runtime]") {
  Recorder recorder(two_steps(), 2, 4);
  for (const int n_tokens : {1, 7}) {
    recorder.begin_call(n_tokens);
    recorder.begin_pass(n_tokens, 0, 1, 2);
    recorder.start(1);
    recorder.worked(1, 0);
    recorder.waited(1, 0);
    recorder.end_call();
  }
  recorder.reset();
  const Profile profile = recorder.report();
  for (const PhaseProfile* phase : {&profile.prefill, &profile.decode}) {
    CHECK(phase->n_tokens == 0);
    CHECK(phase->wall_ns == 0);
    CHECK(phase->call_ns.empty());
    REQUIRE(phase->steps.size() == 2);
    CHECK(attributed(*phase) == 0);
    CHECK(phase->steps[0].bytes == 0);
    CHECK(phase->steps[0].operations == 0);
  }
  for (int i = 0; i < 6; ++i) {
    recorder.begin_call(1);
    recorder.end_call();
  }
  CHECK(recorder.report().decode.call_ns.size() == 4); // the capacity is kept
}

TEST_CASE("A trace has the first stretches of each thread", "[runtime]") {
  constexpr int kKept = 3;
  Recorder recorder(two_steps(), 2, 4, kKept);
  recorder.begin_call(1);
  recorder.begin_pass(1, 0, 1, 2);
  pass(recorder, 1ms, 2ms, 0ms); // four stretches of thread 0
  recorder.start(1);
  recorder.worked(1, 0);
  recorder.end_call();
  const std::vector<mote::TraceEvent> trace = recorder.trace();
  REQUIRE(trace.size() == kKept + 1);
  CHECK((trace[0].thread == 0 && trace[0].step == 0 && !trace[0].waiting));
  CHECK((trace[1].thread == 0 && trace[1].step == 0 && trace[1].waiting));
  CHECK((trace[2].thread == 0 && trace[2].step == 1 && !trace[2].waiting));
  CHECK((trace[3].thread == 1 && trace[3].step == 0 && !trace[3].waiting));
  CHECK(trace[0].end_ns - trace[0].begin_ns >= 1'000'000);
  CHECK(trace[1].end_ns - trace[1].begin_ns >= 2'000'000);
  CHECK(trace[1].begin_ns == trace[0].end_ns);
  CHECK(trace[2].begin_ns == trace[1].end_ns);
  recorder.reset();
  CHECK(recorder.trace().empty());
}

TEST_CASE("Components and operations have names of their own", "[runtime]") {
  std::set<std::string_view> names;
  for (int i = 0; i < mote::kNumComponents; ++i) names.insert(mote::component_name(static_cast<Component>(i)));
  CHECK(names == std::set<std::string_view>{"embedding", "attention", "ffn", "lm_head", "other"});
  names.clear();
  for (int i = 0; i < mote::kNumOperations; ++i) names.insert(mote::operation_name(static_cast<Operation>(i)));
  CHECK(names == std::set<std::string_view>{"embed", "norm", "mul_mat", "attention", "recurrence"});
}

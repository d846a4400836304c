#include "lib/runtime/recorder.h"

#include <algorithm>
#include <span>
#include <utility>

namespace mote::runtime {
namespace {

constexpr std::size_t kPrefill = 0, kDecode = 1;
constexpr std::size_t kSlotsAhead = 4; // steps in which a slot comes from memory

void add_once(std::vector<int>& values, int value) {
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

std::size_t index_of(const std::vector<int>& values, int value) {
  return static_cast<std::size_t>(std::find(values.begin(), values.end(), value) - values.begin());
}

} // namespace

std::int64_t Recorder::Lane::end_stretch(std::int64_t now, int step, bool waiting) noexcept {
  if (n_events < events.size()) {
    TraceEvent& event = events[n_events++];
    event.begin_ns = last;
    event.end_ns = now;
    event.step = step;
    event.waiting = waiting;
  }
  return now - std::exchange(last, now);
}

Recorder::Recorder(std::vector<StepTag> tags, int n_threads, int n_ctx, int trace_events)
    : tags_(std::move(tags)), lanes_(static_cast<std::size_t>(n_threads)) {
  constexpr std::size_t kPadding = 64 / sizeof(Slot) + 1 + kSlotsAhead;
  for (std::size_t thread = 0; thread < lanes_.size(); ++thread) {
    Lane& lane = lanes_[thread];
    for (auto& slots : lane.slots) slots.resize(tags_.size() + kPadding);
    lane.events.resize(static_cast<std::size_t>(trace_events));
    for (TraceEvent& event : lane.events) event.thread = static_cast<int>(thread);
  }
  for (const StepTag& tag : tags_) {
    add_once(windows_, tag.window);
    add_once(limits_, tag.most_tokens);
  }
  for (Phase& phase : phases_) {
    phase.calls.reserve(static_cast<std::size_t>(n_ctx));
    clear_counts(phase);
  }
}

void Recorder::clear_counts(Phase& phase) const {
  phase.n_positions.assign(windows_.size(), {});
  phase.n_tokens_with_bytes.assign(limits_.size(), 0);
}

void Recorder::begin_call(int n_tokens) noexcept {
  phase_ = n_tokens > 1 ? kPrefill : kDecode;
  call_begin_ = clock_.now();
}

void Recorder::end_call() noexcept {
  const std::int64_t ticks = clock_.now() - call_begin_;
  Phase& phase = phases_[phase_];
  phase.wall += ticks;
  if (phase.calls.size() < phase.calls.capacity()) phase.calls.push_back(ticks);
}

void Recorder::begin_pass(int n_tokens, int first_pos, int n_outputs, int n_threads) noexcept {
  Phase& phase = phases_[phase_];
  phase.n_passes += 1;
  phase.n_threads += n_threads;
  n_threads_ = static_cast<std::size_t>(n_threads);
  phase.n_tokens += n_tokens;
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    const std::int64_t n = n_tokens, first = first_pos + 1, last = first_pos + n; // a token at pos attends to pos + 1 positions
    // of the last tokens, whose window is full, each has that many
    const std::int64_t n_full = windows_[i] == 0 ? 0 : std::clamp<std::int64_t>(last - windows_[i], 0, n);
    phase.n_positions[i].attended += n_full * windows_[i] + (n - n_full) * (first + last - n_full) / 2;
    phase.n_positions[i].read += windows_[i] == 0 ? last : std::min(last, windows_[i] + n - 1);
  }
  for (std::size_t i = 0; i < limits_.size(); ++i)
    phase.n_tokens_with_bytes[i] += limits_[i] == 0 ? n_tokens : std::min(n_tokens, limits_[i]);
  phase.n_output_passes += n_outputs > 0 ? 1 : 0;
  phase.n_outputs += n_outputs;
  pass_begin_ = clock_.now();
}

void Recorder::end_pass(int last_step) noexcept {
  const std::int64_t now = clock_.now();
  for (Lane& lane : std::span(lanes_).first(n_threads_))
    lane.slots[phase_][static_cast<std::size_t>(last_step)].wait += std::max<std::int64_t>(0, now - lane.last);
}

void Recorder::start(int thread) noexcept {
  Lane& lane = lanes_[static_cast<std::size_t>(thread)];
  lane.last = clock_.now();
  // Counters of two processors may differ by a little.
  lane.slots[phase_].front().wait += std::max<std::int64_t>(0, lane.last - pass_begin_);
}

void Recorder::worked(int thread, int step) noexcept {
  Lane& lane = lanes_[static_cast<std::size_t>(thread)];
  Slot* const slot = &lane.slots[phase_][static_cast<std::size_t>(step)];
  slot->work += lane.end_stretch(clock_.now(), step, false);
  // Between two passes the weights push the slots out of the caches: waiting for one is the most that recording costs.
  __builtin_prefetch(slot + kSlotsAhead, 1);
}

void Recorder::waited(int thread, int step) noexcept {
  Lane& lane = lanes_[static_cast<std::size_t>(thread)];
  Slot& slot = lane.slots[phase_][static_cast<std::size_t>(step)];
  slot.wait += lane.end_stretch(clock_.now(), step, true);
  slot.n_waits += 1;
}

PhaseProfile Recorder::report(std::size_t phase, const TickClock::Scale& scale) const {
  const Phase& sums = phases_[phase];
  // The mean of the threads that took part; without passes there are no times either.
  const double share = static_cast<double>(sums.n_passes) / static_cast<double>(std::max<std::int64_t>(1, sums.n_threads));
  const auto mean = [&](std::int64_t ticks) { return static_cast<std::int64_t>(static_cast<double>(ticks) * share); };
  PhaseProfile profile;
  profile.n_tokens = sums.n_tokens;
  profile.wall_ns = scale.duration_ns(sums.wall);
  for (const std::int64_t ticks : sums.calls) profile.call_ns.push_back(scale.duration_ns(ticks));
  for (std::size_t i = 0; i < tags_.size(); ++i) {
    const StepTag& tag = tags_[i];
    StepProfile step{tag.component, tag.operation, tag.layer};
    for (const Lane& lane : lanes_) {
      step.work_ns += lane.slots[phase][i].work;
      step.wait_ns += lane.slots[phase][i].wait;
    }
    step.n_barriers = lanes_.front().slots[phase][i].n_waits;
    step.work_ns = scale.duration_ns(mean(step.work_ns));
    step.wait_ns = scale.duration_ns(mean(step.wait_ns));
    const std::int64_t n_passes = tag.outputs_only ? sums.n_output_passes : sums.n_passes;
    const std::int64_t n_tokens = tag.outputs_only ? sums.n_outputs : sums.n_tokens;
    const Positions& positions = sums.n_positions[index_of(windows_, tag.window)];
    step.bytes = tag.bytes_fixed * n_passes + tag.bytes_per_token * sums.n_tokens_with_bytes[index_of(limits_, tag.most_tokens)] +
                 tag.bytes_per_position * positions.read;
    step.operations = tag.ops_per_token * n_tokens + tag.ops_per_position * positions.attended;
    step.float_operations = tag.float_ops_per_token * n_tokens + tag.ops_per_position * positions.attended;
    profile.steps.push_back(step);
  }
  return profile;
}

std::vector<TraceEvent> Recorder::trace() const {
  std::vector<TraceEvent> all;
  for (const Lane& lane : lanes_)
    all.insert(all.end(), lane.events.begin(), lane.events.begin() + static_cast<std::ptrdiff_t>(lane.n_events));
  const TickClock::Scale scale = clock_.scale();
  for (TraceEvent& event : all) {
    event.begin_ns = scale.time_ns(event.begin_ns);
    event.end_ns = scale.time_ns(event.end_ns);
  }
  return all;
}

Profile Recorder::report() const {
  const TickClock::Scale scale = clock_.scale();
  return {report(kPrefill, scale), report(kDecode, scale)};
}

void Recorder::reset() noexcept {
  for (Lane& lane : lanes_) {
    for (auto& slots : lane.slots) std::fill(slots.begin(), slots.end(), Slot{});
    lane.n_events = 0;
  }
  for (Phase& phase : phases_) {
    std::vector<std::int64_t> calls = std::move(phase.calls); // keeps its capacity
    calls.clear();
    phase = {};
    phase.calls = std::move(calls);
    clear_counts(phase);
  }
}

} // namespace mote::runtime

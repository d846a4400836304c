/// Collects the times of plan steps; what Session::profile() reports.
#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "mote/profile.h"

namespace mote::runtime {

/// What is known of a step before it runs. bytes and operations are per pass and may depend on the tokens and the position:
/// fixed + per_token * n_tokens + per_position * (sum over the tokens of the positions that each attends to).
struct StepTag {
  Component component;
  Operation operation;
  int layer;
  std::int64_t bytes_fixed = 0, bytes_per_token = 0, bytes_per_position = 0;
  std::int64_t ops_per_token = 0, ops_per_position = 0;
};

/// Preallocates for n_threads x steps x 2 phases; recording allocates nothing and takes no lock: a thread writes its own slots.
class Recorder {
 public:
  using Clock = std::chrono::steady_clock;
  Recorder(std::vector<StepTag> tags, int n_threads, int n_ctx);

  /// Around each decode call of n_tokens tokens in total: chooses the phase (several tokens: prefill).
  void begin_call(int n_tokens) noexcept;
  void end_call() noexcept;
  /// Thread 0, once a pass, before the steps run.
  void begin_pass(int n_tokens, std::int64_t positions) noexcept;
  /// By each thread: at the start of a pass, when its share of a step is done, and when the step's barrier is behind it.
  void start(int thread) noexcept;
  void worked(int thread, int step) noexcept;
  void waited(int thread, int step) noexcept;

  Profile report() const;
  void reset() noexcept;

 private:
  // filled in by the implementation
};

} // namespace mote::runtime

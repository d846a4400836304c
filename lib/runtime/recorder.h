/// Collects the times of plan steps; what Session::profile() reports.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/runtime/tick_clock.h"
#include "mote/profile.h"
#include "mote/work.h"

namespace mote::runtime {

/// What is known of a step before it runs, per pass.
/// bytes: fixed + per_token * n_tokens + per_position * (positions that any of the tokens attends to): what is read twice in a
/// pass counts once. operations: per_token * n_tokens + per_position * (sum over the tokens of the positions that each attends
/// to).
struct StepTag {
  Component component;
  Operation operation;
  int layer;
  std::int64_t bytes_fixed = 0, bytes_per_token = 0, bytes_per_position = 0;
  std::int64_t ops_per_token = 0, ops_per_position = 0;
  std::int64_t float_ops_per_token = 0; ///< of ops_per_token, those of floats; per position all are
  int most_tokens = 0; ///< of a pass for which bytes_per_token counts: then all that tokens may choose from is read; 0: no limit
  int window = 0;      ///< the most positions that a token attends to; 0: all
  /// The step runs for the tokens whose logits are wanted; in a pass without any it does not run.
  bool outputs_only = false;
  // For the prediction of its time, as in StepWork.
  std::vector<ProductWork> products = {};
  int width = 0, n_heads = 0, n_kv_heads = 0;
  std::optional<Activation> activation = std::nullopt;
};

/// Preallocates for n_threads x steps x 2 phases; recording allocates nothing and takes no lock: a thread writes its own slots.
/// Everything but start(), worked() and waited() is for the thread that owns the session.
class Recorder {
 public:
  /// trace_events: how many are kept of each thread.
  Recorder(std::vector<StepTag> tags, int n_threads, int n_ctx, int trace_events = 0);

  /// Around each decode call of n_tokens tokens in total: chooses the phase (several tokens: prefill).
  void begin_call(int n_tokens) noexcept;
  void end_call() noexcept;
  /// Thread 0, once a pass, before the steps run. first_pos: position of the first token; n_outputs: tokens whose logits are
  /// wanted; n_threads: that will compute it, from thread 0 on.
  void begin_pass(int n_tokens, int first_pos, int n_outputs, int n_threads) noexcept;
  /// Thread 0, when all threads are done with the pass. The time since a thread's last stretch, in which it waits for the others
  /// to end, or ends late, counts as wait of the last step.
  void end_pass(int last_step) noexcept;
  /// By each thread: at the start of a pass, when its share of a step is done, and when the step's barrier, if any, is behind it.
  /// The time from begin_pass() to start(), in which a sleeping thread wakes up, counts as wait of the first step.
  void start(int thread) noexcept;
  void worked(int thread, int step) noexcept;
  void waited(int thread, int step) noexcept;

  Profile report() const;
  std::vector<TraceEvent> trace() const;
  void reset() noexcept;

 private:
  /// All times in ticks of clock_.
  struct Slot {
    std::int64_t work = 0, wait = 0, n_waits = 0;
  };
  /// Slots and last time of one thread; the padding keeps two threads from writing to the same cache line.
  struct alignas(64) Lane {
    std::int64_t last = 0;
    std::array<std::vector<Slot>, 2> slots; // [phase][n_steps + padding]
    std::vector<TraceEvent> events;         // [trace_events], in ticks
    std::size_t n_events = 0;               // recorded so far

    /// Ends a stretch, which began where the one before ended. Returns its ticks.
    std::int64_t end_stretch(std::int64_t now, int step, bool waiting) noexcept;
  };
  struct Positions {
    std::int64_t attended = 0; ///< summed over the tokens
    std::int64_t read = 0;     ///< by any token of the pass
  };
  struct Phase {
    std::int64_t n_passes = 0, n_tokens = 0;
    std::int64_t n_threads = 0; ///< summed over the passes
    std::vector<Positions> n_positions;            ///< for each of windows_
    std::vector<std::int64_t> n_tokens_with_bytes; ///< for each of limits_
    std::int64_t n_output_passes = 0, n_outputs = 0;
    std::int64_t wall = 0;
    std::vector<std::int64_t> calls; // capacity n_ctx
  };

  PhaseProfile report(std::size_t phase, const TickClock::Scale& scale) const;
  void clear_counts(Phase& phase) const;

  TickClock clock_;
  std::vector<StepTag> tags_;
  std::vector<int> windows_, limits_; ///< StepTag::window and most_tokens of the tags, each once
  std::vector<Lane> lanes_;           // [n_threads]
  std::array<Phase, 2> phases_;
  std::size_t phase_ = 0; // of the current call
  std::size_t n_threads_ = 0; // of the current pass
  std::int64_t call_begin_ = 0, pass_begin_ = 0;
};

} // namespace mote::runtime

/// Where the time of a session went.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace mote {

enum class Component : std::uint8_t { embedding, attention, ffn, lm_head, other };
inline constexpr int kNumComponents = 5;
std::string_view component_name(Component component) noexcept;

/// What a step of the plan does. Whoever computes a value goes on with it while it is in reach: products of matrices include the
/// rotation and caching of q, k and v, the activation between gate and down, and the sum with the residual stream; every step
/// includes the quantization of what it hands to the next. mul_mat is called mul_mat_vec in the phase of one token at a time.
/// recurrence: convolutions and states of the mixers that have them.
enum class Operation : std::uint8_t { embed, norm, mul_mat, attention, recurrence };
inline constexpr int kNumOperations = 5;
std::string_view operation_name(Operation operation) noexcept;

/// One step of the plan, summed over its runs. Times are means over the session's threads.
struct StepProfile {
  Component component = Component::other;
  Operation operation = Operation::embed;
  int layer = -1; ///< -1: outside the layers
  std::int64_t work_ns = 0;
  std::int64_t wait_ns = 0;          ///< at the barrier that ends the step
  std::int64_t bytes = 0;            ///< that the step had to read from memory: weights and cache, each once a pass
  std::int64_t operations = 0;       ///< multiplications and additions that it had to do
  std::int64_t n_barriers = 0;       ///< that it ended at: what each thread does for itself has none
  std::int64_t float_operations = 0; ///< of the operations, those of floats; the others multiply quantized weights by int8
};

struct PhaseProfile {
  std::int64_t n_tokens = 0;
  std::int64_t wall_ns = 0;       ///< inside decode; the steps' work and wait, summed, fall short of it by what is unattributed
  std::vector<StepProfile> steps; ///< in the order of execution
  std::vector<std::int64_t> call_ns; ///< wall time of each decode call, the first n_ctx of them
};

/// A stretch of one thread's time.
struct TraceEvent {
  std::int64_t begin_ns = 0, end_ns = 0; ///< of the clock that std::chrono::steady_clock is
  int thread = 0;
  int step = 0;         ///< an index of PhaseProfile::steps
  bool waiting = false; ///< at the barrier that ends the step; else: working
};

struct Profile {
  PhaseProfile prefill; ///< decode calls with several tokens
  PhaseProfile decode;  ///< with one
};

} // namespace mote

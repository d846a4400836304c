/// What a run of the benchmark found, and how it is written down.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/roofline.h"
#include "bench/usage.h"
#include "mote/mote.h"

namespace bench {

/// Of several measurements of the same thing. The median is one of them: the lower of the two middle ones of an even number.
struct Spread {
  std::int64_t median = 0, min = 0, max = 0;
};
Spread spread_of(std::vector<std::int64_t> values);

/// The values that 50, 90 and 99 percent of the measurements do not exceed, and all of them.
struct Percentiles {
  std::int64_t p50 = 0, p90 = 0, p99 = 0, max = 0;
};
Percentiles percentiles_of(std::vector<std::int64_t> values);

/// Part of the time of a phase.
struct Row {
  std::string name;
  std::int64_t ns = 0;
  std::int64_t bytes = 0;      ///< that had to be read in it
  std::int64_t operations = 0; ///< multiplications and additions
  double least_ns = 0;         ///< that the machine needs for them (Roofline::least_ns); not a number: not known

  double bytes_per_second() const { return per_second(static_cast<double>(bytes)); }
  double operations_per_second() const { return per_second(static_cast<double>(operations)); }
  /// Least time / time; 0 where it is not known, or there is nothing to do. What caches hold can be read faster than memory: 1
  /// is no limit for it.
  double roofline_share() const { return ns > 0 && least_ns > 0 ? least_ns / static_cast<double>(ns) : 0; }

 private:
  double per_second(double amount) const { return ns > 0 ? 1e9 * amount / static_cast<double>(ns) : 0; }
};

/// The part of a layer, or of what is outside the layers.
struct LayerRow {
  int layer = -1;        ///< -1: outside the layers
  std::string component; ///< empty: the layer as a whole, with its waiting
  Row row;               ///< named by the operation; "barrier_wait" is the waiting of the layer's component
};

/// A step of the plan, summed over the layers and passes of a phase.
struct StepRow {
  std::string name;       ///< "attention.mul_mat"
  bool in_layers = false; ///< or outside of them
  std::int64_t work_ns = 0, wait_ns = 0;
  std::int64_t n_barriers = 0; ///< at which the threads waited for each other
};

/// Where the time of a phase went: in the trial whose wall time is the median. The components and unattributed_ns add up to
/// wall_ns.median, and so do the operations and unattributed_ns.
struct PhaseReport {
  int n_tokens = 0;
  Spread wall_ns;
  Percentiles token_ns;                           ///< of all trials; decode only
  std::vector<Row> components;                    ///< all five, work and the waiting at the end of each step
  std::vector<Row> operations;                    ///< the matrices first, then by time; "barrier_wait" is all the waiting
  std::vector<StepRow> steps;                     ///< in the order of execution
  std::vector<LayerRow> layers, layer_operations; ///< outside the layers first; either adds up as the components do
  int barriers_per_layer = 0;
  std::int64_t unattributed_ns = 0;
  int n_trials = 0;
  Usage usage; ///< of all trials together

  double share(std::int64_t ns) const { return static_cast<double>(ns) / static_cast<double>(wall_ns.median); }
  double joules_per_token() const { return usage.joules / (static_cast<double>(n_trials) * n_tokens); }
  double tokens_per_second(std::int64_t phase_ns) const { return 1e9 * n_tokens / static_cast<double>(phase_ns); }
};

/// One measured pass through a phase.
struct Trial {
  std::int64_t begin_ns = 0;  ///< of the clock that std::chrono::steady_clock is
  std::int64_t wall_ns = 0;   ///< of all the phase, sampling included where there is some
  std::int64_t sample_ns = 0; ///< choosing the next token
  mote::PhaseProfile profile;
  std::vector<std::int64_t> token_ns;
  std::vector<mote::TraceEvent> events; ///< where the session keeps them
  Usage usage;
};
PhaseReport report_phase(std::span<const Trial> trials, const Roofline& roofline);

/// The first run of a session, in which pages and caches are touched for the first time.
struct Cold {
  std::int64_t open_ns = 0; ///< opening the model, or making its random weights
  std::int64_t time_to_first_token_ns = 0;
  std::int64_t first_token_ns = 0; ///< the first token decoded behind the prompt
};

/// What a session of this many positions would hold.
struct ContextMemory {
  int context = 0;
  mote::MemoryPlan plan;
};

/// Times of tokens without and with the profiler, taken in turns: medians, and the part by which the latter are longer, also of
/// the tenths of the tokens in which it was least and most.
struct Overhead {
  std::int64_t off_ns = 0, on_ns = 0;
  double share = 0, least = 0, most = 0;
  int n_tokens = 0; ///< of either
};

/// One run whose trials have events.
struct Trace {
  Trial prefill, decode;
};

/// How fast decoding was as time went by.
struct Sustained {
  struct Point {
    std::int64_t at_ns = 0; ///< the end of the time that the speed is of
    double tokens_per_second = 0;
    Sensors sensors;
  };
  int seconds = 0;
  std::vector<Point> points;
};

/// A combination of options and what came out of it.
struct RunReport {
  std::string model, type;
  std::int64_t n_parameters = 0;
  int threads = 0;
  mote::Isa isa = mote::Isa::scalar;
  int prompt = 0, generate = 0, context = 0, repeat = 0;
  std::uint64_t seed = 0;
  Cold cold;
  Spread time_to_first_token_ns; ///< prefill and choosing the first token
  PhaseReport prefill, decode;
  mote::MemoryUse memory;
  mote::MemoryPlan predicted; ///< of the same session, from the spec
  std::vector<ContextMemory> by_context;
  ProcessMemory process;                                ///< after the runs
  std::size_t bytes_per_token = 0;                      ///< of weights, that decode reads
  Roofline roofline;                                    ///< of this many threads and this ISA
  std::string counters_unavailable, energy_unavailable; ///< why there are none; empty: PhaseReport::usage has them
  std::string energy_source;
  std::optional<Overhead> overhead;
  std::optional<Sustained> sustained;
  std::optional<Trace> trace;

  /// Bytes of weights per second that decode reads.
  double decode_bandwidth() const {
    return static_cast<double>(bytes_per_token) * decode.tokens_per_second(decode.wall_ns.median);
  }
};

std::string table_head(const Machine& machine);
/// One run, some 40 lines of up to 110 columns.
std::string table_of(const RunReport& run);
/// The layers, and the steps of the plan with their barriers: what --verbose adds.
std::string detail_table_of(const RunReport& run);
std::string markdown_of(const Machine& machine, std::span<const RunReport> runs);
std::string json_of(const Machine& machine, std::span<const RunReport> runs);
/// A line for each run, phase, kind and name, after a line that names the columns.
std::string csv_of(std::span<const RunReport> runs);

/// "0.1.0"
std::string_view mote_version();

} // namespace bench

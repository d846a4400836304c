#include <fmt/format.h>

#include <iterator>

#include "bench/report.h"

namespace bench {
namespace {

/// A value with a comma, a quote or a line break stands in quotes, in which a quote is written twice.
std::string field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

/// The lines of one run all begin with what tells it from the others.
class RunLines {
 public:
  RunLines(std::string& text, const RunReport& run)
      : text_(text),
        head_(fmt::format("{},{},{},{},{},{},{},{},{}", field(run.model), field(run.type), run.threads, mote::isa_name(run.isa),
                          run.prompt, run.generate, run.context, run.repeat, run.seed)) {}

  /// Values that a row has none of are empty.
  void add(std::string_view phase, std::string_view kind, std::string_view name, const std::string& values) {
    fmt::format_to(std::back_inserter(text_), "{},{},{},{},{}\n", head_, phase, kind, name, values);
  }
  void add_phase(std::string_view name, const PhaseReport& phase) {
    const auto add_wall = [&](std::string_view which, std::int64_t ns) {
      add(name, "wall", which, fmt::format("{},,,,{:.3f},,,", ns, phase.tokens_per_second(ns)));
    };
    add_wall("median", phase.wall_ns.median);
    add_wall("min", phase.wall_ns.min);
    add_wall("max", phase.wall_ns.max);
    for (const Row& row : phase.components) add_row(name, "component", row.name, phase, row);
    for (const Row& row : phase.operations) add_row(name, "operation", row.name, phase, row);
    for (const LayerRow& r : phase.layers) add_row(name, "layer", fmt::to_string(r.layer), phase, r.row);
    for (const LayerRow& r : phase.layer_operations)
      add_row(name, "layer_operation", fmt::format("{}.{}.{}", r.layer, r.component, r.row.name), phase, r.row);
    add(name, "unattributed", "unattributed",
        fmt::format("{},{:.6f},,,,,,", phase.unattributed_ns, phase.share(phase.unattributed_ns)));
  }
  void add_ns(std::string_view phase, std::string_view kind, std::string_view name, std::int64_t ns) {
    add(phase, kind, name, fmt::format("{},,,,,,,", ns));
  }
  void add_bytes(std::string_view kind, std::string_view name, std::size_t bytes) {
    add("", kind, name, fmt::format(",,{},,,,,", bytes));
  }
  void add_use(std::string_view kind, const std::string& prefix, const mote::MemoryUse& use) {
    add_bytes(kind, prefix + "parameters", use.parameters);
    add_bytes(kind, prefix + "kv_cache", use.kv_cache);
    add_bytes(kind, prefix + "state", use.state);
    add_bytes(kind, prefix + "compute", use.compute);
    add_bytes(kind, prefix + "tokenizer", use.tokenizer);
  }
  /// Counts and microjoules stand in the column of operations.
  void add_instruments(const RunReport& run) {
    for (const auto& [name, phase] : {std::pair{"prefill", &run.prefill}, std::pair{"decode", &run.decode}}) {
      const auto add_count = [this, phase_name = name](std::string_view kind, std::string_view what, std::int64_t n) {
        add(phase_name, kind, what, fmt::format(",,,{},,,,", n));
      };
      if (run.counters_unavailable.empty()) {
        add_count("counter", "cycles", phase->usage.counts.cycles);
        add_count("counter", "instructions", phase->usage.counts.instructions);
        add_count("counter", "cache_misses", phase->usage.counts.cache_misses);
      }
      if (run.energy_unavailable.empty())
        add_count("energy", "microjoules", static_cast<std::int64_t>(1e6 * phase->usage.joules));
    }
    if (run.overhead)
      for (const auto& [name, ns] : {std::pair{"off", run.overhead->off_ns}, std::pair{"on", run.overhead->on_ns}})
        add_ns("decode", "overhead", name, ns);
    if (run.sustained)
      for (const Sustained::Point& point : run.sustained->points)
        add("decode", "sustain", "point", fmt::format("{},,,,{:.3f},,,", point.at_ns, point.tokens_per_second));
  }
  void add_roofline(const Roofline& roofline) {
    add("", "roofline", "read", fmt::format(",,,,,{:.0f},,", roofline.read_bandwidth));
    add("", "roofline", "int8", fmt::format(",,,,,,{:.0f},", roofline.int8));
    add("", "roofline", "fp32", fmt::format(",,,,,,{:.0f},", roofline.fp32));
  }

 private:
  void add_row(std::string_view name, std::string_view kind, std::string_view row_name, const PhaseReport& phase,
               const Row& row) {
    add(name, kind, row_name,
        fmt::format("{},{:.6f},{},{},,{:.0f},{:.0f},{:.6f}", row.ns, phase.share(row.ns), row.bytes, row.operations,
                    row.bytes_per_second(), row.operations_per_second(), row.roofline_share()));
  }

  std::string& text_;
  std::string head_;
};

} // namespace

std::string csv_of(std::span<const RunReport> runs) {
  std::string text =
      "model,type,threads,isa,prompt,generate,context,repeat,seed,phase,kind,name,ns,share,bytes,operations,tokens_per_second,"
      "bytes_per_second,operations_per_second,roofline_share\n";
  for (const RunReport& run : runs) {
    RunLines lines(text, run);
    lines.add_ns("", "time_to_first_token", "median", run.time_to_first_token_ns.median);
    lines.add_ns("", "time_to_first_token", "min", run.time_to_first_token_ns.min);
    lines.add_ns("", "time_to_first_token", "max", run.time_to_first_token_ns.max);
    lines.add_ns("", "cold", "open", run.cold.open_ns);
    lines.add_ns("", "cold", "time_to_first_token", run.cold.time_to_first_token_ns);
    lines.add_ns("", "cold", "first_token", run.cold.first_token_ns);
    lines.add_roofline(run.roofline);
    lines.add_instruments(run);
    lines.add_phase("prefill", run.prefill);
    lines.add_phase("decode", run.decode);
    lines.add_ns("decode", "token", "p50", run.decode.token_ns.p50);
    lines.add_ns("decode", "token", "p90", run.decode.token_ns.p90);
    lines.add_ns("decode", "token", "p99", run.decode.token_ns.p99);
    lines.add_ns("decode", "token", "max", run.decode.token_ns.max);
    lines.add_use("memory", "", run.memory);
    lines.add_bytes("memory", "process_peak", run.process.peak);
    lines.add_bytes("memory", "resident", run.process.resident);
    lines.add_bytes("memory", "anonymous", run.process.anonymous);
    lines.add_bytes("memory", "mapped", run.process.mapped);
    lines.add_use("predicted", "", run.predicted.use);
    for (int c = 0; c < mote::kNumComponents; ++c)
      lines.add_bytes("predicted", fmt::format("parameters.{}", mote::component_name(static_cast<mote::Component>(c))),
                      run.predicted.parameters[static_cast<std::size_t>(c)]);
    lines.add_bytes("predicted", "packing", run.predicted.packing);
    for (const ContextMemory& at : run.by_context) lines.add_use("by_context", fmt::format("{}.", at.context), at.plan.use);
  }
  return text;
}

} // namespace bench

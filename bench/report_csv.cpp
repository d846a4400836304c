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
      add(name, "wall", which, fmt::format("{},,,,{:.3f}", ns, phase.tokens_per_second(ns)));
    };
    add_wall("median", phase.wall_ns.median);
    add_wall("min", phase.wall_ns.min);
    add_wall("max", phase.wall_ns.max);
    add_rows(name, "component", phase, phase.components);
    add_rows(name, "operation", phase, phase.operations);
    add(name, "unattributed", "unattributed",
        fmt::format("{},{:.6f},,,", phase.unattributed_ns, phase.share(phase.unattributed_ns)));
  }
  void add_ns(std::string_view phase, std::string_view kind, std::string_view name, std::int64_t ns) {
    add(phase, kind, name, fmt::format("{},,,,", ns));
  }
  void add_bytes(std::string_view name, std::size_t bytes) { add("", "memory", name, fmt::format(",,{},,", bytes)); }

 private:
  void add_rows(std::string_view name, std::string_view kind, const PhaseReport& phase, const std::vector<Row>& rows) {
    for (const Row& row : rows)
      add(name, kind, row.name, fmt::format("{},{:.6f},{},{},", row.ns, phase.share(row.ns), row.bytes, row.operations));
  }

  std::string& text_;
  std::string head_;
};

} // namespace

std::string csv_of(std::span<const RunReport> runs) {
  std::string text =
      "model,type,threads,isa,prompt,generate,context,repeat,seed,phase,kind,name,ns,share,bytes,operations,tokens_per_second\n";
  for (const RunReport& run : runs) {
    RunLines lines(text, run);
    lines.add_ns("", "time_to_first_token", "median", run.time_to_first_token_ns.median);
    lines.add_ns("", "time_to_first_token", "min", run.time_to_first_token_ns.min);
    lines.add_ns("", "time_to_first_token", "max", run.time_to_first_token_ns.max);
    lines.add_phase("prefill", run.prefill);
    lines.add_phase("decode", run.decode);
    lines.add_ns("decode", "token", "p50", run.decode.token_ns.p50);
    lines.add_ns("decode", "token", "p90", run.decode.token_ns.p90);
    lines.add_ns("decode", "token", "p99", run.decode.token_ns.p99);
    lines.add_bytes("parameters", run.memory.parameters);
    lines.add_bytes("kv_cache", run.memory.kv_cache);
    lines.add_bytes("compute", run.memory.compute);
    lines.add_bytes("tokenizer", run.memory.tokenizer);
    lines.add_bytes("process_peak", run.process_peak);
  }
  return text;
}

} // namespace bench

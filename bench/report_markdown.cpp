#include <fmt/format.h>

#include <iterator>

#include "bench/report_text.h"

namespace bench {
namespace {

/// A bar would end a cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void add_summary(std::string& text, const RunReport& run) {
  const auto line = [&](std::string_view what, const std::string& value) {
    fmt::format_to(std::back_inserter(text), "| {} | {} |\n", what, value);
  };
  const auto ms = [](std::int64_t ns) { return static_cast<double>(ns) / kNsPerMs; };
  const Percentiles& token = run.decode.token_ns;
  text += "| | median (least .. most) |\n|---|---|\n";
  line("time to first token", milliseconds(run.time_to_first_token_ns));
  line("prefill", speed(run.prefill));
  line("decode", speed(run.decode));
  line("per decoded token", fmt::format("{:.2f} ms p50, {:.2f} ms p90, {:.2f} ms p99, {:.2f} ms at most", ms(token.p50),
                                        ms(token.p90), ms(token.p99), ms(token.max)));
  line("cold", fmt::format("opened in {:.0f} ms, first token after {:.1f} ms, the next after {:.2f} ms", ms(run.cold.open_ns),
                           ms(run.cold.time_to_first_token_ns), ms(run.cold.first_token_ns)));
  line("decode reads weights", weight_reading(run));
  line("limits", limits(run.roofline));
  for (const Lines& lines : {memory_lines(run), instrument_lines(run)})
    for (const auto& [label, words] : lines) line(label, words);
}

void add_rows(std::string& text, const PhaseReport& phase, std::string_view kind, const std::vector<Row>& rows) {
  fmt::format_to(std::back_inserter(text), "\n| {} | ms/token | share | GB/s | GMAC/s | roof |\n|---|---:|---:|---:|---:|---:|\n",
                 kind);
  const auto add = [&](const Row& row) {
    fmt::format_to(std::back_inserter(text), "| {} | {:.3f} | {:.1f}% | {} | {} | {} |\n", row.name,
                   static_cast<double>(row.ns) / kNsPerMs / phase.n_tokens, 100 * phase.share(row.ns),
                   giga(row.bytes_per_second()), giga(row.operations_per_second() / 2), percent(row.roofline_share()));
  };
  for (const Row& row : rows) add(row);
  add({"unattributed", phase.unattributed_ns});
}

void add_phase(std::string& text, std::string_view name, const PhaseReport& phase) {
  fmt::format_to(std::back_inserter(text), "\n### {}, {}\n", name, counted(phase.n_tokens, "token"));
  add_rows(text, phase, "component", phase.components);
  add_rows(text, phase, "operation", phase.operations);
}

} // namespace

std::string markdown_of(const Machine& machine, std::span<const RunReport> runs) {
  std::string text = fmt::format("mote {} on {}, {}.\nRoof: the least time that the limits allow / the time.\n", mote_version(),
                                 machine.cpu, counted(machine.n_processors, "processor"));
  for (const RunReport& run : runs) {
    fmt::format_to(std::back_inserter(text), "\n## {} {}\n\n{} parameters, {}, {}, prompt {}, generate {}, {}.\n\n",
                   cell(run.model), run.type, count(run.n_parameters), counted(run.threads, "thread"), mote::isa_name(run.isa),
                   run.prompt, run.generate, counted(run.repeat, "run"));
    add_summary(text, run);
    add_phase(text, "Prefill", run.prefill);
    add_phase(text, "Decode", run.decode);
  }
  return text;
}

} // namespace bench

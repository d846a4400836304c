#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "bench/report.h"

namespace bench {
namespace {

constexpr double kNsPerMs = 1e6;

std::string milliseconds(const Spread& ns) {
  return fmt::format("{:.1f} ms  ({:.1f} .. {:.1f})", static_cast<double>(ns.median) / kNsPerMs,
                     static_cast<double>(ns.min) / kNsPerMs, static_cast<double>(ns.max) / kNsPerMs);
}

std::string speed(const PhaseReport& phase) {
  return fmt::format("{:.1f} tokens/s  ({:.1f} .. {:.1f})", phase.tokens_per_second(phase.wall_ns.median),
                     phase.tokens_per_second(phase.wall_ns.max), phase.tokens_per_second(phase.wall_ns.min));
}

std::string bytes(std::size_t n) {
  if (n == 0) return "none";
  const auto value = static_cast<double>(n);
  if (value < 1e6) return fmt::format("{:.1f} kB", value / 1e3);
  return value < 1e9 ? fmt::format("{:.1f} MB", value / 1e6) : fmt::format("{:.2f} GB", value / 1e9);
}

std::string count(std::int64_t n) {
  const auto value = static_cast<double>(n);
  return value < 1e9 ? fmt::format("{:.1f} M", value / 1e6) : fmt::format("{:.2f} G", value / 1e9);
}

/// "12 threads", "1 thread"
std::string counted(int n, std::string_view thing) { return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s"); }

/// Amount per nanosecond, that is in units of 1e9 per second; a dash where nothing was counted.
std::string rate(double amount, std::int64_t ns) {
  return amount > 0 && ns > 0 ? fmt::format("{:.1f}", amount / static_cast<double>(ns)) : "-";
}

/// The columns of a phase for a part of its time; blank where the phase has no such part.
std::string prefill_cells(const PhaseReport& phase, const Row* row) {
  if (row == nullptr) return fmt::format("{:>11}{:>8}{:>9}", "", "", "");
  return fmt::format("{:>11.2f}{:>7.1f}%{:>9}", static_cast<double>(row->ns) / kNsPerMs, 100 * phase.share(row->ns),
                     rate(0.5 * static_cast<double>(row->operations), row->ns));
}

std::string decode_cells(const PhaseReport& phase, const Row* row) {
  if (row == nullptr) return {};
  return fmt::format("{:>14.3f}{:>7.1f}%{:>9}", static_cast<double>(row->ns) / kNsPerMs / phase.n_tokens,
                     100 * phase.share(row->ns), rate(static_cast<double>(row->bytes), row->ns));
}

const Row* find(const std::vector<Row>& rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Row::name);
  return found != rows.end() ? &*found : nullptr;
}

void add_line(std::string& text, std::string_view label, const std::string& left, const std::string& right) {
  std::string line = fmt::format("  {:<22}{}{}", label, left, right);
  line.erase(line.find_last_not_of(' ') + 1);
  text += line + "\n";
}

void add_unattributed(std::string& text, const RunReport& run) {
  const Row prefill{"unattributed", run.prefill.unattributed_ns}, decode{"unattributed", run.decode.unattributed_ns};
  add_line(text, "unattributed", prefill_cells(run.prefill, &prefill), decode_cells(run.decode, &decode));
}

void add_breakdown(std::string& text, const RunReport& run) {
  fmt::format_to(std::back_inserter(text), "  {:<22}{:>28}{:>31}\n", "", "prefill -------------------",
                 "decode ---------------------");
  fmt::format_to(std::back_inserter(text), "  {:<22}{:>11}{:>8}{:>9}{:>14}{:>8}{:>9}\n", "", "ms", "share", "GMAC/s", "ms/token",
                 "share", "GB/s");
  for (const Row& row : run.prefill.components)
    add_line(text, row.name, prefill_cells(run.prefill, &row), decode_cells(run.decode, find(run.decode.components, row.name)));
  add_unattributed(text, run);
  text += "\n";

  // The first operation of both phases is the matrices', under two names.
  const Row &matrices = run.prefill.operations.front(), &vectors = run.decode.operations.front();
  const bool same = matrices.name == vectors.name;
  add_line(text, same ? matrices.name : matrices.name + " / " + vectors.name, prefill_cells(run.prefill, &matrices),
           decode_cells(run.decode, &vectors));
  for (const Row& row : run.decode.operations) {
    const Row* const left = find(run.prefill.operations, row.name);
    if (&row == &vectors || (row.ns == 0 && (left == nullptr || left->ns == 0))) continue;
    add_line(text, row.name, prefill_cells(run.prefill, left), decode_cells(run.decode, &row));
  }
  add_unattributed(text, run);
}

} // namespace

std::string table_head(const Machine& machine) {
  std::string isas;
  for (const mote::Isa isa : machine.isas) isas += fmt::format("{}{}", isas.empty() ? "" : ", ", mote::isa_name(isa));
  return fmt::format("mote {} on {}: {}, {} in use by default; {}\n", mote_version(), machine.cpu,
                     counted(machine.n_processors, "processor"), counted(machine.n_performance_cores, "core"), isas);
}

std::string table_of(const RunReport& run) {
  std::string text =
      fmt::format("\n{}  {}  {} parameters  {}  {}  prompt {}  generate {}\n\n", run.model, run.type, count(run.n_parameters),
                  counted(run.threads, "thread"), mote::isa_name(run.isa), run.prompt, run.generate);
  const auto out = std::back_inserter(text);
  const double ms = kNsPerMs, gb = 1e9;
  const Percentiles& token = run.decode.token_ns;
  fmt::format_to(out, "  time to first token   {}\n", milliseconds(run.time_to_first_token_ns));
  fmt::format_to(out, "  prefill               {}\n", speed(run.prefill));
  fmt::format_to(out, "  decode                {}\n", speed(run.decode));
  fmt::format_to(out, "  per decoded token     {:.2f} ms p50, {:.2f} ms p90, {:.2f} ms p99\n",
                 static_cast<double>(token.p50) / ms, static_cast<double>(token.p90) / ms, static_cast<double>(token.p99) / ms);
  fmt::format_to(out, "  decode reads weights  {:.1f} GB/s, {:.0f}% of the {:.1f} GB/s that {} can read here\n",
                 run.decode_bandwidth() / gb, 100 * run.decode_bandwidth() / run.read_bandwidth, run.read_bandwidth / gb,
                 counted(run.threads, "thread"));
  fmt::format_to(out, "                        (median, least .. most of {})\n\n", counted(run.repeat, "run"));
  add_breakdown(text, run);
  fmt::format_to(
      out,
      "\n  memory                parameters {}, KV cache {} ({} positions), compute buffer {}, tokenizer {}; process peak {}\n",
      bytes(run.memory.parameters), bytes(run.memory.kv_cache), run.context, bytes(run.memory.compute),
      bytes(run.memory.tokenizer), bytes(run.process_peak));
  return text;
}

std::string step_table_of(const RunReport& run) {
  std::string text = fmt::format("\n  barriers              {} a layer in prefill, {} in decode\n\n",
                                 run.prefill.barriers_per_layer, run.decode.barriers_per_layer);
  const auto cells = [](const StepRow* row, int n_parts) {
    if (row == nullptr) return fmt::format("{:>36}", "");
    const double ms = kNsPerMs * n_parts;
    return fmt::format("{:>12.4f}{:>12.4f}{:>12}", static_cast<double>(row->work_ns) / ms, static_cast<double>(row->wait_ns) / ms,
                       row->n_barriers);
  };
  fmt::format_to(std::back_inserter(text), "  {:<22}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "step", "prefill ms", "waiting",
                 "barriers", "ms/token", "waiting", "barriers");
  for (std::size_t i = 0; i < run.decode.steps.size(); ++i) {
    const StepRow& row = run.decode.steps[i];
    const StepRow* left = i < run.prefill.steps.size() ? &run.prefill.steps[i] : nullptr;
    add_line(text, (row.in_layers ? "layers " : "") + row.name, cells(left, 1), cells(&row, run.decode.n_tokens));
  }
  return text;
}

} // namespace bench

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "bench/report_text.h"

namespace bench {
namespace {

/// The columns of a phase for a part of its time; blank where the phase has no such part.
std::string prefill_cells(const PhaseReport& phase, const Row* row) {
  if (row == nullptr) return fmt::format("{:>11}{:>8}{:>9}{:>7}", "", "", "", "");
  return fmt::format("{:>11.2f}{:>7.1f}%{:>9}{:>7}", static_cast<double>(row->ns) / kNsPerMs, 100 * phase.share(row->ns),
                     giga(row->operations_per_second() / 2), percent(row->roofline_share()));
}

std::string decode_cells(const PhaseReport& phase, const Row* row) {
  if (row == nullptr) return {};
  return fmt::format("{:>14.3f}{:>7.1f}%{:>9}{:>7}", static_cast<double>(row->ns) / kNsPerMs / phase.n_tokens,
                     100 * phase.share(row->ns), giga(row->bytes_per_second()), percent(row->roofline_share()));
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

void add_column_names(std::string& text) {
  fmt::format_to(std::back_inserter(text), "  {:<22}{:>35}{:>38}\n", "", "prefill --------------------------",
                 "decode ----------------------------");
  fmt::format_to(std::back_inserter(text), "  {:<22}{:>11}{:>8}{:>9}{:>7}{:>14}{:>8}{:>9}{:>7}\n", "", "ms", "share", "GMAC/s",
                 "roof", "ms/token", "share", "GB/s", "roof");
}

void add_breakdown(std::string& text, const RunReport& run) {
  add_column_names(text);
  for (const Row& row : run.prefill.components)
    add_line(text, row.name, prefill_cells(run.prefill, &row),
             decode_cells(run.decode, find_row(run.decode.components, row.name)));
  add_unattributed(text, run);
  text += "\n";

  // The first operation of both phases is the matrices', under two names.
  const Row &matrices = run.prefill.operations.front(), &vectors = run.decode.operations.front();
  const bool same = matrices.name == vectors.name;
  add_line(text, same ? matrices.name : matrices.name + " / " + vectors.name, prefill_cells(run.prefill, &matrices),
           decode_cells(run.decode, &vectors));
  for (const Row& row : run.decode.operations) {
    const Row* const left = find_row(run.prefill.operations, row.name);
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
  const double ms = kNsPerMs;
  const Percentiles& token = run.decode.token_ns;
  fmt::format_to(out, "  time to first token   {}\n", milliseconds(run.time_to_first_token_ns));
  fmt::format_to(out, "  prefill               {}\n", speed(run.prefill));
  fmt::format_to(out, "  decode                {}\n", speed(run.decode));
  fmt::format_to(out, "  per decoded token     {:.2f} ms p50, {:.2f} ms p90, {:.2f} ms p99, {:.2f} ms at most\n",
                 static_cast<double>(token.p50) / ms, static_cast<double>(token.p90) / ms, static_cast<double>(token.p99) / ms,
                 static_cast<double>(token.max) / ms);
  fmt::format_to(out, "  decode reads weights  {}\n", weight_reading(run));
  fmt::format_to(out, "                        (median, least .. most of {})\n", counted(run.repeat, "run"));
  fmt::format_to(out, "  the first run, cold   opened in {:.0f} ms, first token after {:.1f} ms, the next after {:.2f} ms\n",
                 static_cast<double>(run.cold.open_ns) / ms, static_cast<double>(run.cold.time_to_first_token_ns) / ms,
                 static_cast<double>(run.cold.first_token_ns) / ms);
  fmt::format_to(out, "  roof                  least time / time, with {} by {}, {}\n\n", limits(run.roofline),
                 counted(run.threads, "thread"), mote::isa_name(run.isa));
  add_breakdown(text, run);
  text += "\n";
  for (const Lines& lines : {memory_lines(run), instrument_lines(run)})
    for (const auto& [label, words] : lines) add_line(text, label, words, "");
  return text;
}

namespace {

void add_layers(std::string& text, const RunReport& run) {
  text += "\n";
  add_column_names(text);
  for (const LayerRow& r : run.decode.layers) {
    const auto left = std::ranges::find(run.prefill.layers, r.layer, &LayerRow::layer);
    add_line(text, r.layer < 0 ? "outside the layers" : fmt::format("layer {}", r.layer),
             prefill_cells(run.prefill, left != run.prefill.layers.end() ? &left->row : nullptr),
             decode_cells(run.decode, &r.row));
  }
}

void add_plan_steps(std::string& text, const RunReport& run) {
  const auto cells = [](const StepRow* row, int n_parts) {
    if (row == nullptr) return fmt::format("{:>32}", "");
    const double ms = kNsPerMs * n_parts;
    return fmt::format("{:>12.4f}{:>10.4f}{:>10}", static_cast<double>(row->work_ns) / ms, static_cast<double>(row->wait_ns) / ms,
                       row->n_barriers);
  };
  fmt::format_to(std::back_inserter(text), "  {:<28}{:>12}{:>10}{:>10}{:>12}{:>10}{:>10}\n", "step", "prefill ms", "waiting",
                 "barriers", "ms/token", "waiting", "barriers");
  for (std::size_t i = 0; i < run.decode.steps.size(); ++i) {
    const StepRow& row = run.decode.steps[i];
    const StepRow* left = i < run.prefill.steps.size() ? &run.prefill.steps[i] : nullptr;
    add_line(text, fmt::format("{:<28}", (row.in_layers ? "layers " : "") + row.name), cells(left, 1),
             cells(&row, run.decode.n_tokens));
  }
}

} // namespace

std::string detail_table_of(const RunReport& run) {
  std::string text;
  add_layers(text, run);
  fmt::format_to(std::back_inserter(text), "\n  barriers              {} a layer in prefill, {} in decode\n\n",
                 run.prefill.barriers_per_layer, run.decode.barriers_per_layer);
  add_plan_steps(text, run);
  return text;
}

} // namespace bench

// Says how a model spends its time on this machine: prefill and decode, by component and by operation.
#include <fmt/format.h>

#include <iterator>
#include <new>
#include <optional>

#include "bench/benchmark.h"
#include "bench/complain.h"
#include "bench/output.h"
#include "bench/page.h"
#include "bench/predict.h"
#include "bench/study.h"
#include "bench/trace.h"

namespace {

using bench::Format;
using bench::Output;
using mote::Result;
using mote::Status;

std::string preset_list() {
  std::string text = fmt::format("{:<24}{:<9}{:<16}{:>12}{:>8}{:>9}{:>7}{:>9}{:>9}{:>10}{:>10}\n", "preset", "group", "family",
                                 "parameters", "layers", "d_model", "heads", "kv heads", "d_ff", "n_vocab", "n_ctx");
  for (const mote::Preset& preset : mote::all_presets()) {
    const auto spec = mote::spec_from_preset(preset.name);
    if (!spec) {
      fmt::format_to(std::back_inserter(text), "{:<24}{:<9}its shape is not published\n", preset.name, preset.group);
      continue;
    }
    // of the first layer that has them; 0: none has
    int n_heads = 0, n_kv_heads = 0, d_ff = 0;
    for (auto layer = spec->layers.rbegin(); layer != spec->layers.rend(); ++layer) {
      if (const mote::AttentionSpec* a = layer->attention()) n_heads = a->n_heads, n_kv_heads = a->n_kv_heads;
      if (layer->ffn) d_ff = layer->ffn->d_ff;
    }
    fmt::format_to(std::back_inserter(text), "{:<24}{:<9}{:<16}{:>10.1f} M{:>8}{:>9}{:>7}{:>9}{:>9}{:>10}{:>10}\n", preset.name,
                   preset.group, spec->family, static_cast<double>(mote::parameter_count(*spec)) / 1e6, spec->layers.size(),
                   spec->d_model, n_heads, n_kv_heads, d_ff, spec->n_vocab, spec->n_ctx);
  }
  return text;
}

/// Where an option's file goes; null without a path.
Result<std::optional<Output>> open_file(const std::string& path) {
  if (path.empty()) return std::optional<Output>();
  auto output = Output::open(path);
  if (!output) return std::move(output).error();
  return std::optional(*std::move(output));
}

Status write_whole(std::optional<Output>& file, const std::string& text) {
  if (Status s = file->write(text); !s) return s;
  return file->finish();
}

/// Of tables the head and each run as soon as it is there, of other formats all at the end.
Status measure(const bench::Options& options, bench::Progress& progress, Output& output, std::optional<Output>& page) {
  auto trace = open_file(options.instruments.trace);
  if (!trace) return std::move(trace).error();
  const bench::Machine machine = bench::this_machine();
  std::vector<bench::RunReport> reports;
  bool head_written = false;
  const Status measured = bench::run_all(options, progress, [&](bench::RunReport report) -> Status {
    reports.push_back(std::move(report));
    if (options.format != Format::table) return {};
    std::string text = head_written ? "" : bench::table_head(machine);
    head_written = true;
    text += bench::table_of(reports.back());
    if (options.verbose) text += bench::detail_table_of(reports.back());
    return output.write(text);
  });
  if (!measured) return measured;
  std::string text;
  if (options.format == Format::json) text = bench::json_of(machine, reports);
  if (options.format == Format::csv) text = bench::csv_of(reports);
  if (options.format == Format::markdown) text = bench::markdown_of(machine, reports);
  if (Status s = output.write(text); !s) return s;
  if (page)
    if (Status s = write_whole(page, bench::page_of_report(bench::json_of(machine, reports))); !s) return s;
  if (*trace)
    if (Status s = write_whole(*trace, bench::trace_json(reports)); !s) return s;
  return output.finish();
}

Status run(const bench::Options& options) {
  auto output = Output::open(options.out);
  if (!output) return std::move(output).error();
  if (!options.help.empty() || options.list_presets) {
    if (Status s = output->write(options.help.empty() ? preset_list() : options.help); !s) return s;
    return output->finish();
  }
  bench::Progress progress;
  if (options.predict) return bench::run_predict(options, progress, *output);
  if (!options.save.empty()) return bench::save_model(options, progress);
  auto page = open_file(options.html);
  if (!page) return std::move(page).error();
  if (!options.study.empty()) return bench::run_study(options, progress, *output, *page ? &**page : nullptr);
  return measure(options, progress, *output, *page);
}

} // namespace

int main(int argc, char** argv) {
  try {
    const auto options = bench::parse_options(argc, argv);
    if (!options) return bench::complain("bench_breakdown", options.error());
    if (const Status status = run(*options); !status) return bench::complain("bench_breakdown", status.error());
    return 0;
  } catch (const std::bad_alloc&) {
    return bench::complain("bench_breakdown", {mote::ErrorCode::out_of_memory, "out of memory"});
  }
}

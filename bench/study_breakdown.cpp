#include <fmt/format.h>

#include "bench/study.h"

namespace bench {
namespace {

using mote::Result;
using Json = nlohmann::json;

constexpr const char* kComponents[] = {"embedding", "attention", "ffn", "lm_head", "other"};
constexpr const char* kPhases[] = {"prefill", "decode"};

/// Milliseconds of each component, one bar for each model: of all the prompt, or of a token.
Study chart_of(const char* phase, const std::vector<Source>& sources, const std::vector<Json>& runs) {
  Study categories = Study::array(), series = Study::array();
  for (const Source& source : sources) categories.push_back(source.name);
  for (const char* component : kComponents) {
    Study values = Study::array();
    for (const Json& run : runs) {
      const Json& measured = run["phases"][phase];
      const double per = std::string_view(phase) == "decode" ? measured["n_tokens"].get<double>() : 1;
      values.push_back(rounded(ms(measured["components"][component]["ns"]) / per, 4));
    }
    series.push_back({{"name", component}, {"values", std::move(values)}});
  }
  const bool decode = std::string_view(phase) == "decode";
  return {{"kind", "stacked"},
          {"title", decode ? "Decode, per token" : "Prefill, the whole prompt"},
          {"y", "ms"},
          {"categories", std::move(categories)},
          {"series", std::move(series)}};
}

/// What share of the time of both phases the products of matrices take.
double matrix_share(const Json& run) {
  double matrices = 0, all = 0;
  for (const char* phase : kPhases) {
    const Json& measured = run["phases"][phase];
    for (const char* name : {"mul_mat", "mul_mat_vec"})
      if (measured["operations"].contains(name)) matrices += measured["operations"][name]["ns"].get<double>();
    all += measured["wall_ns"]["median"].get<double>();
  }
  return matrices / all;
}

void add_rows(std::vector<Study>& rows, const std::string& name, const Json& run) {
  for (const char* phase : kPhases) {
    const Json& measured = run["phases"][phase];
    const auto add = [&](const char* kind, const std::string& part, const Json& row) {
      rows.push_back({name, phase, kind, part, rounded(ms(row["ns"]) / measured["n_tokens"].get<double>(), 4),
                      rounded(100 * row["share"].get<double>(), 1), rounded(row["bytes_per_second"].get<double>() / 1e9, 1),
                      rounded(row["operations_per_second"].get<double>() / 2e9, 1)});
    };
    for (const char* component : kComponents) add("component", component, measured["components"][component]);
    for (const auto& [operation, row] : measured["operations"].items()) add("operation", operation, row);
  }
}

} // namespace

Result<Study> study_breakdown(const Options& options, Progress& progress) {
  Runs runs(options, progress, static_cast<int>(options.sources.size()));
  std::vector<Json> found;
  std::vector<Study> rows, sums;
  for (const Source& source : options.sources) {
    const auto answer = runs.measure(
        {{"--preset", source.name}, options.types[0], options.prompts, options.generates[0], 0, options.repeat, options.seed});
    if (!answer) return answer.error();
    if (answer->runs.empty()) return mote::Error{mote::ErrorCode::io, answer->problem};
    found.push_back(answer->runs[0]);
    add_rows(rows, source.name, found.back());
    sums.push_back({source.name, rounded(first_token_ms(found.back()), 2), rounded(token_ms(found.back()), 3),
                    rounded(100 * matrix_share(found.back()), 1)});
  }
  Study study = new_study(
      "Breakdown: where the time goes", options,
      {fmt::format(
          "{}, prompt {}, {} tokens generated; medians of {} runs. Time spent waiting at the barrier "
          "behind a step belongs to the step's component, and is an operation of its own. Parts are means over the tokens.",
          mote::mix_name(options.types[0]), options.prompts[0], options.generates[0], options.repeat)});
  double least = 1;
  for (const Json& run : found) least = std::min(least, matrix_share(run));
  add_finding(study, "mul_mat_vec takes more than 70% of the time from the prompt to the last token.",
              fmt::format("products of matrices take {:.0f}% or more of prefill and decode together", 100 * least), least > 0.7);
  if (options.sources.size() == 2) {
    const double faster = token_ms(found[0]) / token_ms(found[1]) - 1;
    add_finding(study, "Qwen1.5-0.5B, larger than Qwen2-0.5B by the paper's count, is 31.9% faster on a Jetson Orin NX.",
                fmt::format("{} decodes {:.1f}% {} than {}", options.sources[1].name, 100 * std::abs(faster),
                            faster > 0 ? "faster" : "slower", options.sources[0].name),
                faster > 0);
  }
  for (const char* phase : kPhases) add_chart(study, chart_of(phase, options.sources, found));
  add_table(study, "Models", {"model", "time to first token [ms]", "per token, median [ms]", "products of matrices [%]"},
            std::move(sums));
  add_table(study, "Components and operations", {"model", "phase", "kind", "part", "ms per token", "share [%]", "GB/s", "GMAC/s"},
            std::move(rows));
  return study;
}

} // namespace bench

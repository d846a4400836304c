#include <fmt/format.h>

#include "bench/statistics.h"
#include "bench/study.h"

namespace bench {
namespace {

using mote::Result;
using Json = nlohmann::json;

struct Models {
  std::vector<double> parameters, first_tokens, tokens, memory; ///< [10^6], [ms], [ms], [MB]
  Study first_token_points = Study::array(), token_points = Study::array(), memory_points = Study::array();

  void add(const std::string& name, const Json& run) {
    parameters.push_back(rounded(run["n_parameters"].get<double>() / 1e6, 0));
    first_tokens.push_back(rounded(first_token_ms(run), 2));
    tokens.push_back(rounded(token_ms(run), 3));
    memory.push_back(rounded(run["memory"]["process_peak"].get<double>() / 1e6, 0));
    first_token_points.push_back({parameters.back(), first_tokens.back(), name});
    token_points.push_back({parameters.back(), tokens.back(), name});
    memory_points.push_back({parameters.back(), memory.back(), name});
  }
};

Study row_of(const std::string& name, const Models& models, const Json& run) {
  const Json &prefill = run["phases"]["prefill"], &decode = run["phases"]["decode"];
  return {name,
          models.parameters.back(),
          models.first_tokens.back(),
          rounded(prefill["tokens_per_second"].get<double>(), 1),
          models.tokens.back(),
          rounded(ms(decode["token_ns"]["p90"]), 3),
          rounded(decode["tokens_per_second"].get<double>(), 1),
          models.memory.back()};
}

Study scatter(std::string title, const char* y, Study points) {
  return {{"kind", "scatter"},
          {"title", std::move(title)},
          {"x", "parameters [10^6]"},
          {"y", y},
          {"x_scale", "log"},
          {"y_scale", "log"},
          {"series", Study::array({{{"name", "models"}, {"points", std::move(points)}}})}};
}

/// How the models compare; there are three or more.
void add_findings(Study& study, const Models& m) {
  const double memory = pearson(m.parameters, m.memory);
  add_finding(study, "Memory grows linearly with the number of parameters.",
              fmt::format("correlation {:.3f} of peak memory with parameters", memory), memory >= 0.95);
  // among models of nearly the same size, how far apart the fastest and the slowest are
  double first_token = 1, token = 1;
  for (std::size_t i = 0; i < m.parameters.size(); ++i)
    for (std::size_t j = 0; j < m.parameters.size(); ++j) {
      if (m.parameters[j] < m.parameters[i] || m.parameters[j] > 1.1 * m.parameters[i]) continue;
      first_token = std::max({first_token, m.first_tokens[i] / m.first_tokens[j], m.first_tokens[j] / m.first_tokens[i]});
      token = std::max({token, m.tokens[i] / m.tokens[j], m.tokens[j] / m.tokens[i]});
    }
  add_finding(study, "Beside its size, a model's architecture decides its latency, and more so in prefill than in decode.",
              fmt::format("two models whose sizes differ by 10% at most are up to {:.2f} times apart in the first token, {:.2f} "
                          "times in decode (rank correlation with parameters {:.3f} and {:.3f})",
                          first_token, token, spearman(m.parameters, m.first_tokens), spearman(m.parameters, m.tokens)),
              first_token > token);
}

} // namespace

Result<Study> study_overview(const Options& options, Progress& progress) {
  Runs runs(options, progress, static_cast<int>(options.sources.size()));
  Models models;
  std::vector<Study> rows;
  for (const Source& source : options.sources) {
    const auto answer = runs.measure(
        {{"--preset", source.name}, options.types[0], options.prompts, options.generates[0], 0, options.repeat, options.seed});
    if (!answer) return answer.error();
    if (answer->runs.empty()) {
      rows.push_back({source.name, answer->problem});
      continue;
    }
    models.add(source.name, answer->runs[0]);
    rows.push_back(row_of(source.name, models, answer->runs[0]));
  }
  Study study =
      new_study("Overview: first token, tokens and memory", options,
                {fmt::format("{} models with random weights, {}, prompt {}, {} tokens generated; medians of {} runs, each "
                             "model in a process of its own.",
                             options.sources.size(), mote::mix_name(options.types[0]), options.prompts[0], options.generates[0],
                             options.repeat)});
  if (models.parameters.size() >= 3) add_findings(study, models);
  add_chart(study, scatter("Time to first token", "ms", std::move(models.first_token_points)));
  add_chart(study, scatter("Per decoded token", "ms", std::move(models.token_points)));
  add_chart(study, scatter("Peak memory", "MB", std::move(models.memory_points)));
  add_table(study, "Models",
            {"model", "parameters [10^6]", "time to first token [ms]", "prefill [tokens/s]", "per token, median [ms]", "90% [ms]",
             "decode [tokens/s]", "peak memory [MB]"},
            std::move(rows));
  return study;
}

} // namespace bench

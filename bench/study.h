/// The studies of "Demystifying Small Language Models for Edge Deployment" (Lu et al., ACL 2025), measured on this machine. A
/// study is JSON; what its keys mean stands in bench/page/README.md.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/options.h"
#include "bench/output.h"
#include "bench/progress.h"
#include "bench/runs.h"

namespace bench {

using Study = nlohmann::ordered_json;

struct StudyKind {
  std::string_view name;
  std::string_view what; ///< it measures, for --help
  mote::Result<Study> (*run)(const Options& options, Progress& progress);
};
std::span<const StudyKind> all_studies();

/// Runs options.study and writes it, as Markdown or JSON, and as a page where one is asked for (null: none). Errors: io, and of
/// starting a process.
mote::Status run_study(const Options& options, Progress& progress, Output& output, Output* page);

// The parts of a study.
Study new_study(std::string title, const Options& options, std::vector<std::string> about);
/// What the paper found, beside what was found here. agrees: none where neither can be said.
void add_finding(Study& study, std::string paper, std::string here, std::optional<bool> agrees);
void add_table(Study& study, std::string caption, std::vector<std::string> columns, std::vector<Study> rows);
void add_chart(Study& study, Study chart);
/// Title, findings and tables; charts are for the page.
std::string markdown_of_study(const Study& study);

// The studies: see all_studies().
mote::Result<Study> study_overview(const Options& options, Progress& progress);
mote::Result<Study> study_quantization(const Options& options, Progress& progress);
mote::Result<Study> study_breakdown(const Options& options, Progress& progress);
mote::Result<Study> study_memory(const Options& options, Progress& progress);
mote::Result<Study> study_ablation(const Options& options, Progress& progress);

// What the studies read from a run.
inline double ms(const nlohmann::json& ns) { return ns.get<double>() / 1e6; }
inline double first_token_ms(const nlohmann::json& run) { return ms(run["time_to_first_token_ns"]["median"]); }
inline double token_ms(const nlohmann::json& run) { return ms(run["phases"]["decode"]["token_ns"]["p50"]); }
/// Rounds to so many digits behind the point, so that JSON shows what was measured.
double rounded(double value, int n_digits);

} // namespace bench

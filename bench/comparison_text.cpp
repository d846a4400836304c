#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "bench/comparison.h"

namespace bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kNameWidth = 24, kValueWidth = 30;

/// Milliseconds or megabytes, with three digits at least.
std::string scaled(double value) {
  const double millions = value / 1e6;
  return fmt::format("{:.{}f}", millions, millions < 10 ? 3 : millions < 100 ? 2 : 1);
}

/// With the spread of wall times; that of their parts follows from it.
std::string value_text(const ComparedRow& row, const std::optional<Measured>& value) {
  if (!value) return "-";
  const std::string text = scaled(value->median);
  return row.kind == "time" ? fmt::format("{} ({} .. {})", text, scaled(value->min), scaled(value->max)) : text;
}

std::string change_text(const ComparedRow& row, std::size_t base, std::size_t other) {
  const auto &before = row.values[base], &after = row.values[other];
  if (!before || !after) return "-";
  if (before->median == after->median) return "same";
  return fmt::format("{:+.1f}%{}", 100 * change(*before, *after), within_noise(*before, *after) ? "  within noise" : "");
}

/// What stands above the rows of a kind; empty: nothing.
std::string heading_of(const ComparedRow& row) {
  if (row.kind == "time") return "";
  if (row.kind == "memory") return "memory [MB]";
  return row.kind == "token" ? "percentiles of a token" : fmt::format("{} by {}", row.phase, row.kind);
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

/// The end of a name that is too long tells more than its beginning.
std::string fitted(const std::string& name, std::size_t width) {
  return name.size() <= width ? name : "..." + name.substr(name.size() - (width - 3));
}

/// The reports that have a run, the base first.
std::vector<std::size_t> reports_of(const ComparedRun& run) {
  std::vector<std::size_t> reports;
  for (std::size_t i = 0; i < run.in.size(); ++i)
    if (run.in[i]) reports.push_back(i);
  return reports;
}

void add_run(std::string& text, const Comparison& comparison, const ComparedRun& run) {
  const std::vector<std::size_t> reports = reports_of(run);
  std::string head = fmt::format("  {:<{}}", "[ms]", kNameWidth);
  for (const std::size_t report : reports)
    head += fmt::format("{:<{}}", fitted(comparison.reports[report], kValueWidth - 2), kValueWidth) +
            (report == run.base ? "" : fmt::format("{:<22}", "change"));
  fmt::format_to(std::back_inserter(text), "\n{}\n\n{}", run.name, trimmed(head));
  std::string heading;
  for (const ComparedRow& row : run.rows) {
    if (const std::string own = heading_of(row); own != heading) {
      heading = own;
      if (!own.empty()) text += "  " + own + "\n";
    }
    std::string line = fmt::format("  {:<{}}", (heading.empty() ? "" : "  ") + row.name, kNameWidth);
    for (const std::size_t report : reports)
      line += fmt::format("{:<{}}", value_text(row, row.values[report]), kValueWidth) +
              (report == run.base ? "" : fmt::format("{:<22}", change_text(row, run.base, report)));
    text += trimmed(line);
  }
}

std::string processor_text(const Comparison& comparison, std::size_t report) {
  const std::string& processor = comparison.processors[report];
  return processor.empty() ? "a machine without a name" : processor;
}

std::string unmatched_text(const Comparison& comparison) {
  std::string text;
  for (const ComparedRun& run : comparison.unmatched)
    fmt::format_to(std::back_inserter(text), "only in {}: {}\n", comparison.reports[run.base], run.name);
  return text.empty() ? text : "\n" + text;
}

constexpr const char* kAboutNoise =
    "Within noise: the runs of both reach into each other, from the least to the most; a part of a phase may vary by as much "
    "time\n"
    "as the phase does.\n";

/// A bar would end a cell.
std::string cell(std::string text) {
  for (std::size_t i = text.find('|'); i != std::string::npos; i = text.find('|', i + 2)) text.insert(i, "\\");
  return text;
}

Json json_of(const std::optional<Measured>& value) {
  if (!value) return nullptr;
  return {{"median", value->median}, {"min", value->min}, {"max", value->max}};
}

Json json_of(const ComparedRun& run) {
  Json in = Json::array(), rows = Json::array();
  for (const std::size_t report : reports_of(run)) in.push_back(report);
  for (const ComparedRow& row : run.rows) {
    Json values = Json::array(), changes = Json::array();
    for (std::size_t i = 0; i < row.values.size(); ++i) {
      values.push_back(json_of(row.values[i]));
      const bool is_held = i != run.base && row.values[i] && row.values[run.base];
      changes.push_back(is_held ? Json{{"change", change(*row.values[run.base], *row.values[i])},
                                       {"within_noise", within_noise(*row.values[run.base], *row.values[i])}}
                                : Json(nullptr));
    }
    rows.push_back({{"phase", row.phase}, {"kind", row.kind}, {"name", row.name}, {"values", values}, {"changes", changes}});
  }
  return {{"name", run.name}, {"in", in}, {"base", run.base}, {"rows", rows}};
}

} // namespace

std::string comparison_table(const Comparison& comparison) {
  std::string text;
  for (std::size_t i = 0; i < comparison.reports.size(); ++i)
    fmt::format_to(std::back_inserter(text), "{}: {}\n", comparison.reports[i], processor_text(comparison, i));
  text += kAboutNoise;
  for (const ComparedRun& run : comparison.matched) add_run(text, comparison, run);
  return text + unmatched_text(comparison);
}

std::string comparison_markdown(const Comparison& comparison) {
  std::string text;
  for (std::size_t i = 0; i < comparison.reports.size(); ++i)
    fmt::format_to(std::back_inserter(text), "- {}: {}\n", comparison.reports[i], processor_text(comparison, i));
  text += fmt::format("\nTimes in ms, memory in MB. {}", kAboutNoise);
  for (const ComparedRun& run : comparison.matched) {
    const std::vector<std::size_t> reports = reports_of(run);
    std::string head = "| phase | kind | name |", rule = "|---|---|---|";
    for (const std::size_t report : reports) {
      head += fmt::format(" {} |{}", cell(comparison.reports[report]), report == run.base ? "" : " change |");
      rule += report == run.base ? "---:|" : "---:|---:|";
    }
    fmt::format_to(std::back_inserter(text), "\n## {}\n\n{}\n{}\n", run.name, head, rule);
    for (const ComparedRow& row : run.rows) {
      fmt::format_to(std::back_inserter(text), "| {} | {} | {} |", row.phase, row.kind, cell(row.name));
      for (const std::size_t report : reports)
        text += fmt::format(" {} |", value_text(row, row.values[report])) +
                (report == run.base ? "" : fmt::format(" {} |", change_text(row, run.base, report)));
      text += "\n";
    }
  }
  return text + unmatched_text(comparison);
}

std::string comparison_json(const Comparison& comparison) {
  Json reports = Json::array(), matched = Json::array(), unmatched = Json::array();
  for (std::size_t i = 0; i < comparison.reports.size(); ++i)
    reports.push_back({{"name", comparison.reports[i]}, {"cpu", processor_text(comparison, i)}});
  for (const ComparedRun& run : comparison.matched) matched.push_back(json_of(run));
  for (const ComparedRun& run : comparison.unmatched) unmatched.push_back({{"report", run.base}, {"name", run.name}});
  const Json all = {{"reports", reports}, {"matched", matched}, {"unmatched", unmatched}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace bench

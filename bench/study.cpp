#include "bench/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "bench/machine.h"
#include "bench/page.h"
#include "bench/report.h"

namespace bench {
namespace {

using mote::Result;
using mote::Status;

constexpr StudyKind kStudies[] = {
    {"overview", "first token, tokens and memory of the models of table 1 (figure 4)", study_overview},
    {"quantization", "Phi-1.5 in seven types, prompts of 1 to 500 tokens (figure 5)", study_quantization},
    {"breakdown", "Qwen2-0.5B and Qwen1.5-0.5B by component (figure 8)", study_breakdown},
    {"memory", "parameters, KV cache and buffers by model, vocabulary and context (figure 9)", study_memory},
    {"ablation", "the 18 shapes of table 9 in random order, again and again", study_ablation},
};

/// Numbers with three digits or more that mean something; a bar would end a cell.
std::string cell(const Study& value) {
  if (value.is_null()) return "";
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  if (value.is_number()) {
    const double number = value.get<double>(), size = std::abs(number);
    return fmt::format("{:.{}f}", number, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size > 0 ? 3 : 0);
  }
  std::string text;
  for (const char c : value.get<std::string>()) {
    if (c == '|') text += '\\';
    text += c;
  }
  return text;
}

void add_row(std::string& text, const Study& cells) {
  text += "|";
  for (const Study& value : cells) text += fmt::format(" {} |", cell(value));
  text += "\n";
}

void add_rule(std::string& text, const Study& table) {
  text += "|";
  for (std::size_t i = 0; i < table["columns"].size(); ++i) {
    const auto is_number = [&](const Study& row) { return i < row.size() && row[i].is_number(); };
    text += std::any_of(table["rows"].begin(), table["rows"].end(), is_number) ? "---:|" : "---|";
  }
  text += "\n";
}

} // namespace

std::span<const StudyKind> all_studies() { return kStudies; }

Study new_study(std::string title, const Options& options, std::vector<std::string> about) {
  const Machine machine = this_machine();
  Study isas = Study::array();
  for (const mote::Isa isa : machine.isas) isas.push_back(mote::isa_name(isa));
  return {{"mote", mote_version()},
          {"machine",
           {{"cpu", machine.cpu},
            {"processors", machine.n_processors},
            {"performance_cores", machine.n_performance_cores},
            {"isas", isas}}},
          {"title", std::move(title)},
          {"facts", {fmt::format("{} threads", options.threads[0]), mote::isa_name(options.isas[0])}},
          {"about", std::move(about)},
          {"findings", Study::array()},
          {"charts", Study::array()},
          {"tables", Study::array()}};
}

void add_finding(Study& study, std::string paper, std::string here, std::optional<bool> agrees) {
  Study finding = {{"paper", std::move(paper)}, {"here", std::move(here)}};
  finding["agrees"] = agrees ? Study(*agrees) : Study();
  study["findings"].push_back(std::move(finding));
}

void add_table(Study& study, std::string caption, std::vector<std::string> columns, std::vector<Study> rows) {
  study["tables"].push_back({{"caption", std::move(caption)}, {"columns", std::move(columns)}, {"rows", std::move(rows)}});
}

void add_chart(Study& study, Study chart) { study["charts"].push_back(std::move(chart)); }

std::string markdown_of_study(const Study& study) {
  std::string text = fmt::format("# {}\n\n", study["title"].get<std::string>());
  fmt::format_to(std::back_inserter(text), "mote {} on {}, {} processors", study["mote"].get<std::string>(),
                 study["machine"]["cpu"].get<std::string>(), study["machine"]["processors"].get<int>());
  for (const Study& fact : study["facts"]) text += ", " + fact.get<std::string>();
  text += ".\n";
  for (const Study& paragraph : study["about"]) text += "\n" + paragraph.get<std::string>() + "\n";
  if (!study["findings"].empty()) text += "\n| The paper | Here | |\n|---|---|---|\n";
  for (const Study& finding : study["findings"]) {
    const Study& agrees = finding["agrees"];
    add_row(text, {finding["paper"], finding["here"], agrees.is_null() ? "open" : agrees.get<bool>() ? "agrees" : "disagrees"});
  }
  for (const Study& table : study["tables"]) {
    fmt::format_to(std::back_inserter(text), "\n## {}\n\n", table["caption"].get<std::string>());
    add_row(text, table["columns"]);
    add_rule(text, table);
    for (const Study& row : table["rows"]) add_row(text, row);
  }
  return text;
}

double rounded(double value, int n_digits) {
  const double scale = std::pow(10.0, n_digits);
  return std::round(value * scale) / scale;
}

Status run_study(const Options& options, Progress& progress, Output& output, Output* page) {
  const auto kind = std::ranges::find(kStudies, options.study, &StudyKind::name);
  const Result<Study> study = kind->run(options, progress);
  progress.clear();
  if (!study) return study.error();
  const std::string json = study->dump(2, ' ', false, Study::error_handler_t::replace) + "\n"; // a message need not be UTF-8
  if (Status s = output.write(options.format == Format::json ? json : markdown_of_study(*study)); !s) return s;
  if (Status s = output.finish(); !s || page == nullptr) return s;
  if (Status s = page->write(page_of_study(json)); !s) return s;
  return page->finish();
}

} // namespace bench

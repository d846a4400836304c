#include "bench/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

namespace bench {
namespace {

using Json = nlohmann::ordered_json;
using mote::Error;
using mote::ErrorCode;
using mote::Result;

/// The value at the end of a path of keys, or null.
const Json* find(const Json& json, std::initializer_list<const char*> keys) {
  const Json* value = &json;
  for (const char* key : keys) {
    if (!value->is_object()) return nullptr;
    const auto item = value->find(key);
    if (item == value->end()) return nullptr;
    value = &*item;
  }
  return value;
}

std::optional<double> number(const Json& json, std::initializer_list<const char*> keys) {
  const Json* value = find(json, keys);
  return value != nullptr && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
}

/// What is wrong with a report; empty: nothing.
std::string fault_of(const Json& report) {
  const Json* runs = find(report, {"runs"});
  if (runs == nullptr || !runs->is_array()) return "expected an object with a list of \"runs\"";
  for (std::size_t i = 0; i < runs->size(); ++i) {
    const Json *model = find((*runs)[i], {"model"}), *phases = find((*runs)[i], {"phases"});
    if (model == nullptr || !model->is_string() || phases == nullptr || !phases->is_object())
      return fmt::format("expected a \"model\" and \"phases\" in run {}", i);
  }
  return {};
}

/// Collects what a run has.
class Quantities {
 public:
  Quantities(std::vector<ComparedRow>& rows, std::size_t n_reports, std::size_t report)
      : rows_(rows), n_reports_(n_reports), report_(report) {}

  void add(const char* phase, const char* kind, const std::string& name, const Measured& measured) {
    if (!(measured.median > 0)) return;
    const auto same = [&](const ComparedRow& row) { return row.phase == phase && row.kind == kind && row.name == name; };
    auto row = std::ranges::find_if(rows_, same);
    if (row == rows_.end()) row = rows_.insert(place_of(phase, kind), {phase, kind, name, {}});
    row->values.resize(n_reports_);
    row->values[report_] = measured;
  }

  void add_run(const Json& run) {
    if (const auto first = spread(run, {"time_to_first_token_ns"})) add("", "time", "time to first token", *first);
    for (const char* phase : {"prefill", "decode"})
      if (const Json* found = find(run, {"phases", phase})) add_phase(phase, *found);
    for (const char* name : {"parameters", "kv_cache", "state", "compute", "tokenizer", "process_peak"})
      if (const auto bytes = number(run, {"memory", name})) add("", "memory", name, {*bytes, *bytes, *bytes});
  }

 private:
  /// Behind the last row of this phase and kind, so that what only one report has stands with its like.
  std::vector<ComparedRow>::iterator place_of(std::string_view phase, std::string_view kind) {
    const auto last = std::find_if(rows_.rbegin(), rows_.rend(),
                                   [&](const ComparedRow& row) { return row.phase == phase && row.kind == kind; });
    return last == rows_.rend() ? rows_.end() : last.base();
  }

  static std::optional<Measured> spread(const Json& json, std::initializer_list<const char*> keys) {
    const Json* value = find(json, keys);
    if (value == nullptr) return std::nullopt;
    const auto median = number(*value, {"median"}), min = number(*value, {"min"}), max = number(*value, {"max"});
    if (!median || !min || !max) return std::nullopt;
    return Measured{*median, *min, *max};
  }

  void add_phase(const char* name, const Json& phase) {
    const auto wall = spread(phase, {"wall_ns"});
    if (!wall || !(wall->median > 0)) return;
    const bool is_decode = std::string_view(name) == "decode";
    const double n = is_decode ? number(phase, {"n_tokens"}).value_or(0) : 1;
    if (!(n > 0)) return;
    // What disturbed a run, and made its wall time more or less, may have hit any part of it.
    const double less = wall->median - wall->min, more = wall->max - wall->median;
    const auto disturbed = [&](double ns) { return Measured{ns / n, std::max(ns - less, 0.0) / n, (ns + more) / n}; };
    add(name, "time", is_decode ? "decode, per token" : "prefill", disturbed(wall->median));
    for (const char* which : {"p50", "p90", "p99", "max"})
      if (const auto ns = number(phase, {"token_ns", which})) add(name, "token", which, disturbed(*ns * n));
    for (const auto& [kind, key] : {std::pair("component", "components"), std::pair("operation", "operations")})
      if (const Json* parts = find(phase, {key}); parts != nullptr && parts->is_object())
        for (const auto& [part_name, part] : parts->items())
          if (const auto ns = number(part, {"ns"})) add(name, kind, part_name, disturbed(*ns));
  }

  std::vector<ComparedRow>& rows_;
  std::size_t n_reports_, report_;
};

/// "/models/x.gguf" and "C/x.gguf" are the same file on two machines.
std::string last_part(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path.substr(path.rfind('/') + 1);
}

/// A run's name: what it is matched by.
std::string name_of(const Json& run, std::span<const std::string> ignored) {
  std::string name;
  for (const std::string key : kMatchedBy) {
    const Json* value = find(run, {key.c_str()});
    if (value == nullptr || std::ranges::find(ignored, key) != ignored.end()) continue;
    if (!value->is_string() && !value->is_number()) continue; // whatever it is, it may be too deep to be written
    std::string word = value->is_string() ? value->get<std::string>() : value->dump();
    if (key == "model") word = last_part(std::move(word));
    if (key == "threads") word += word == "1" ? " thread" : " threads";
    if (key == "prompt" || key == "generate") word = key + " " + word;
    name += (name.empty() ? "" : "  ") + word;
  }
  return name;
}

} // namespace

Result<SavedReport> read_report(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || (text.fail() && errno != 0)) // nothing to read alone is no fault yet
    return Error{ErrorCode::io, fmt::format("{}: cannot read it: {}", path, std::strerror(errno))};
  // Copying what is nested takes stack: deeper than any report goes nothing is kept.
  const auto keep = [](int depth, Json::parse_event_t, Json&) { return depth < 32; };
  SavedReport report{path, text.str(), Json::parse(text.str(), keep, false)};
  if (report.json.is_discarded())
    return Error{ErrorCode::bad_file,
                 fmt::format("{}: expected what bench_breakdown --format json writes, this is no JSON", path)};
  if (const std::string fault = fault_of(report.json); !fault.empty())
    return Error{ErrorCode::bad_file, fmt::format("{}: not what bench_breakdown --format json writes: {}", path, fault)};
  return report;
}

Comparison compare(std::span<const SavedReport> reports, std::span<const std::string> ignored) {
  Comparison comparison;
  std::vector<ComparedRun> runs;
  std::map<std::pair<std::string, int>, std::size_t> places; // of a name, and of how many of it came before in its report
  for (std::size_t report = 0; report < reports.size(); ++report) {
    comparison.reports.push_back(reports[report].name);
    const Json* processor = find(reports[report].json, {"machine", "cpu"});
    comparison.processors.push_back(processor != nullptr && processor->is_string() ? processor->get<std::string>() : "");
    std::map<std::string, int> seen;
    for (const Json& run : reports[report].json["runs"]) {
      const std::string name = name_of(run, ignored);
      const auto [place, is_new] = places.try_emplace({name, seen[name]++}, runs.size());
      if (is_new) runs.push_back({name, std::vector<bool>(reports.size()), {}, report});
      ComparedRun& compared = runs[place->second];
      compared.in[report] = true;
      Quantities(compared.rows, reports.size(), report).add_run(run);
    }
  }
  for (ComparedRun& run : runs) {
    const bool is_matched = std::ranges::count(run.in, true) > 1;
    if (!is_matched) run.rows.clear();
    (is_matched ? comparison.matched : comparison.unmatched).push_back(std::move(run));
  }
  return comparison;
}

} // namespace bench

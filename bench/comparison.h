/// Reports of bench_breakdown beside each other: what changed from the first to the others, and by more than noise.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mote/result.h"

namespace bench {

/// What bench_breakdown --format json wrote.
struct SavedReport {
  std::string name; ///< of its file
  std::string text;
  nlohmann::ordered_json json; ///< of the text: has "runs", each with its "model" and "phases"
};

/// Errors: io; bad_file: it is no such report.
mote::Result<SavedReport> read_report(const std::string& path);

/// A median, and between what the measurements lay. What was taken once has all three equal.
struct Measured {
  double median = 0, min = 0, max = 0;
};

/// Whether measurements of both reach into each other: then the difference may be chance.
inline bool within_noise(const Measured& a, const Measured& b) { return a.min <= b.max && b.min <= a.max; }

/// 0.1: b is a tenth more than a.
inline double change(const Measured& a, const Measured& b) { return b.median / a.median - 1; }

/// Something that runs have: a time in nanoseconds, in decode for each token, or an amount of memory in bytes.
struct ComparedRow {
  std::string phase; ///< "prefill", "decode"; empty: of the run
  std::string kind;  ///< "time", "component", "operation", "token" (percentiles) or "memory"
  std::string name;
  std::vector<std::optional<Measured>> values; ///< one for each report; none: it has no such thing
};

/// Runs of the same thing.
struct ComparedRun {
  std::string name;              ///< "qwen2-0.5b  Q4_K_M  2 threads  avx512  prompt 50  generate 50"
  std::vector<bool> in;          ///< for each report: whether it has such a run
  std::vector<ComparedRow> rows; ///< in the order of a report
  std::size_t base = 0;          ///< the first report that has it: the others are held against it
};

struct Comparison {
  std::vector<std::string> reports;    ///< their names
  std::vector<std::string> processors; ///< of their machines; empty: not told
  std::vector<ComparedRun> matched;    ///< in two reports at least
  std::vector<ComparedRun> unmatched;  ///< in one, without rows
};

/// What runs are matched by; of a model that is a path, the last part of it.
inline constexpr const char* kMatchedBy[] = {"model", "type", "threads", "isa", "prompt", "generate"};

/// Runs match that agree in everything of kMatchedBy that is not to be ignored; several such runs of one report match those of
/// another in their order. Only wall times have a spread of their own: a part of a phase is taken to vary by as many nanoseconds
/// as the phase does.
Comparison compare(std::span<const SavedReport> reports, std::span<const std::string> ignored);

/// Tables in plain text, one for each matched run.
std::string comparison_table(const Comparison& comparison);
std::string comparison_markdown(const Comparison& comparison);
std::string comparison_json(const Comparison& comparison);

} // namespace bench

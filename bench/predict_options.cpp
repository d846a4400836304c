#include "bench/predict_options.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string_view>

#include "bench/option_words.h"
#include "mote/spec.h"

namespace bench {
namespace {

using mote::Result;
using mote::Status;

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array kCounts{Unit{"", 1}, Unit{"K", 1e3}, Unit{"M", 1e6}, Unit{"B", 1e9}, Unit{"G", 1e9}};
constexpr std::array kTimes{Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}};
constexpr std::array kSizes{Unit{"B", 1},        Unit{"KB", 1e3},        Unit{"MB", 1e6},          Unit{"GB", 1e9},
                            Unit{"KiB", 1024.0}, Unit{"MiB", 1048576.0}, Unit{"GiB", 1073741824.0}};

/// A number and its unit: "1.5ms".
template <std::size_t kN>
Result<double> parse_quantity(const std::string& what, std::string_view word, const std::array<Unit, kN>& units) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  const std::string_view unit = word.substr(static_cast<std::size_t>(end - word.data()));
  if (error == std::errc() && value > 0)
    for (const Unit& known : units)
      if (unit == known.name) return value * known.factor;
  std::string names;
  for (const Unit& known : units)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name.empty() ? "nothing" : known.name);
  return usage(fmt::format("{}: expected a number above 0 and its unit ({}), found '{}'", what, names, word));
}

Result<Budget> parse_budget(const std::string& text) {
  Budget budget;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size()), equals = text.find('=', begin);
    const std::string key = text.substr(begin, std::min(equals, end) - begin);
    const std::string value = equals < end ? text.substr(equals + 1, end - equals - 1) : "";
    double* const of_key = key == "decode"    ? &budget.decode_ns
                           : key == "prefill" ? &budget.prefill_ns
                           : key == "memory"  ? &budget.memory_bytes
                                              : nullptr;
    if (!of_key) return usage(fmt::format("--budget: expected decode=TIME, prefill=TIME or memory=SIZE, found '{}'", key));
    const std::string what = "--budget " + key;
    const Result<double> quantity = key == "memory" ? parse_quantity(what, value, kSizes) : parse_quantity(what, value, kTimes);
    if (!quantity) return quantity.error();
    *of_key = *quantity;
    begin = end + 1;
  }
  return budget;
}

Result<SearchOptions> read_search(const PredictWords& w) {
  SearchOptions search;
  const Result<double> n_parameters = parse_quantity("--params", w.params, kCounts);
  if (!n_parameters) return n_parameters.error();
  search.n_parameters = *n_parameters;
  const Result<double> tolerance = parse_quantity("--tolerance", w.tolerance, std::array{Unit{"", 0.01}, Unit{"%", 0.01}});
  if (!tolerance) return tolerance.error();
  if (*tolerance > 0.5) return usage(fmt::format("--tolerance: expected at most 50 percent, found '{}'", w.tolerance));
  search.tolerance = *tolerance;
  const Result<Budget> budget = parse_budget(w.budget);
  if (!budget) return budget.error();
  search.budget = *budget;
  const auto vocabulary = [](const std::string& word) { return parse_number("--vocab", word, 256, 1 << 20); };
  if (Status s = parse_all(search.vocabularies, w.vocabularies, vocabulary); !s) return s.error();
  if (search.vocabularies.empty()) search.vocabularies = {32000, 49152};
  const Result<int> rows = parse_number("--rows", w.rows, 1, 10000), n_verified = parse_number("--verify", w.n_verified, 0, 100);
  if (!rows) return rows.error();
  if (!n_verified) return n_verified.error();
  search.n_rows = *rows;
  search.n_verified = *n_verified;
  return search;
}

/// Of table 1, over families and sizes.
constexpr const char* kOfTable1[] = {"smollm-135m",
                                     "smollm-360m",
                                     "amd-llama-135m",
                                     "tinyllama-1.1b",
                                     "llama-3.2-1b",
                                     "danube3-0.5b",
                                     "mobillama-0.5b",
                                     "minicpm-1b",
                                     "gemma-2-2b",
                                     "qwen1.5-0.5b",
                                     "qwen2-0.5b",
                                     "qwen2.5-1.5b",
                                     "phi-1.5",
                                     "cerebras-gpt-256m",
                                     "pythia-160m",
                                     "pythia-410m",
                                     "stablelm-2-zephyr-1.6b",
                                     "bloom-560m",
                                     "opt-125m",
                                     "openelm-450m",
                                     "phi-3-mini-4k",
                                     "recurrentgemma-2b"};

} // namespace

std::vector<std::string> presets_to_verify() {
  std::vector<std::string> names;
  for (const mote::Preset& preset : mote::all_presets())
    if (preset.group == "table 9") names.push_back(preset.name);
  names.insert(names.end(), std::begin(kOfTable1), std::end(kOfTable1));
  return names;
}

void describe_predict(CLI::App& app, PredictWords& w) {
  constexpr const char* kCalibration =
      "Where this machine's calibration is kept, or another machine's is (default: in the user's cache folder)";
  w.predict = app.add_subcommand("predict", "Say how fast models would be, without their weights; calibrates the machine once");
  add(*w.predict, "--calibration", "FILE", w.calibration, kCalibration);
  add(*w.predict, "--depth", "N", w.depths,
      "Positions of the tokens to predict (default: of the first and the last one generated)")
      ->delimiter(',');
  w.predict->add_flag("--verify", w.verify,
                      "Measure models that no calibration runs beside their predictions (default: 40 of them)");
  w.predict->fallthrough();

  w.search = app.add_subcommand("search", "Find the shapes of some number of parameters that would be fastest here");
  add(*w.search, "--params", "N", w.params, "Parameters: 100M, 1.5B");
  add(*w.search, "--budget", "KEY=VALUE,", w.budget,
      "The most that a shape may cost: decode=5ms,prefill=80ms,memory=300MB; each may be left out");
  add(*w.search, "--tolerance", "PERCENT", w.tolerance, "Of the parameters, that a shape may have more or fewer (default: 5)");
  add(*w.search, "--vocab", "N", w.vocabularies, "Sizes of the vocabulary to choose from (default: 32000,49152)")->delimiter(',');
  add(*w.search, "--rows", "N", w.rows, "Shapes of the front to print (default: 20)");
  add(*w.search, "--verify", "N", w.n_verified, "Fastest shapes to measure (default: 3)");
  add(*w.search, "--calibration", "FILE", w.calibration, kCalibration);
  w.search->get_option("--params")->required();
  w.search->fallthrough();
}

Result<std::optional<PredictOptions>> read_predict(const PredictWords& w) {
  if (!w.predict->parsed() && !w.search->parsed()) return std::optional<PredictOptions>();
  PredictOptions options;
  options.calibration = w.calibration;
  options.verify = w.verify;
  const auto depth = [](const std::string& word) { return parse_number("--depth", word, 0, 1 << 24); };
  if (Status s = parse_all(options.depths, w.depths, depth); !s) return s.error();
  if (w.search->parsed()) {
    Result<SearchOptions> search = read_search(w);
    if (!search) return std::move(search).error();
    options.search = *std::move(search);
  }
  return std::optional(std::move(options));
}

} // namespace bench

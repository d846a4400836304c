/// The command line of `bench_breakdown predict` and `search`, beside the options that all share.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "mote/result.h"

namespace CLI {
class App;
}

namespace bench {

/// What a shape that is searched for may cost at most; 0: anything.
struct Budget {
  double decode_ns = 0, prefill_ns = 0, memory_bytes = 0;
};

struct SearchOptions {
  double n_parameters = 0;
  double tolerance = 0.05; ///< share of n_parameters by which a shape may have more or fewer
  Budget budget;
  std::vector<int> vocabularies; ///< sizes to choose from
  int n_rows = 20;               ///< shapes to print
  int n_verified = 3;            ///< of these to measure, the fastest
};

struct PredictOptions {
  std::string calibration;             ///< path; empty: the default one
  bool verify = false;                 ///< measure shapes beside their predictions
  std::vector<int> depths;             ///< positions of the single tokens; empty: the first and the last one generated
  std::optional<SearchOptions> search; ///< none: predict
};

/// The words of the command line, before they are understood.
struct PredictWords {
  CLI::App *predict = nullptr, *search = nullptr;
  std::string calibration, params, budget, tolerance = "5", rows = "20", n_verified = "3";
  std::vector<std::string> depths, vocabularies;
  bool verify = false;
};

/// What --verify measures, unless told otherwise: 40 models that no calibration runs, all of table 9 and 22 of table 1.
std::vector<std::string> presets_to_verify();

void describe_predict(CLI::App& app, PredictWords& words);
/// None: neither subcommand was given. Error: invalid_argument, one line for the user.
mote::Result<std::optional<PredictOptions>> read_predict(const PredictWords& words);

} // namespace bench

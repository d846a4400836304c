/// Runs of bench_breakdown, each in a process of its own, whose reports may be kept.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/progress.h"

namespace bench {

/// What one process is to measure: a model in one type and for one generation, with one or more prompts.
struct Wish {
  std::vector<std::string> model; ///< "--preset", "qwen2-0.5b"
  mote::Mix type = mote::Mix::Q4_K_M;
  std::vector<int> prompts;
  int generate = 0;
  int context = 0; ///< 0: what is needed
  int repeat = 1;
  std::uint64_t seed = 0;
};

struct Answer {
  std::vector<nlohmann::json> runs; ///< as json_of writes them, one for each prompt
  std::string problem;              ///< the program's last words, in a line, where there are no runs
};

class Runs {
 public:
  /// Keeps the reports in options.runs_dir, made if it is not there, and takes from it what is there; with an empty one they are
  /// forgotten. Threads and ISA are those of the options. n_wishes: how many there will be, for the progress.
  Runs(const Options& options, Progress& progress, int n_wishes) : options_(options), progress_(progress), n_wishes_(n_wishes) {}

  /// Errors: io (the folder, starting a process). That a model cannot be run is an answer.
  mote::Result<Answer> measure(const Wish& wish);
  const Options& options() const { return options_; }

 private:
  mote::Result<Answer> measure_in(const std::string& folder, const Wish& wish);

  const Options& options_;
  Progress& progress_;
  int n_wishes_, n_done_ = 0;
};

} // namespace bench

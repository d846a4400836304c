/// The command line of bench_breakdown.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/instruments.h"
#include "bench/predict_options.h"
#include "mote/mote.h"

namespace bench {

enum class Format { table, markdown, json, csv };

/// A model to measure: a file, or a shape with random weights.
struct Source {
  std::string name;                    ///< as it was asked for: the preset, the shape or the path
  std::optional<mote::ModelSpec> spec; ///< none: a file
};

/// Every combination of the lists is measured.
struct Options {
  std::vector<Source> sources;
  std::vector<mote::Mix> types; ///< of random weights; a file has its own
  std::vector<mote::Isa> isas;
  std::vector<int> threads;
  std::vector<int> prompts;   ///< tokens
  std::vector<int> generates; ///< tokens
  int repeat = 3;
  int context = 0; ///< positions; 0: what prompt and generation need
  std::uint64_t seed = 0;
  Format format = Format::table;
  std::string out;       ///< path; empty: standard output
  std::string html;      ///< path of a page that shows the report; empty: none
  std::string cache_dir; ///< empty: none
  std::string save;      ///< not empty: write the only source, with the only type, to this file and measure nothing
  Instruments instruments;
  bool verbose = false; ///< show the layers and the steps of the plan too
  bool list_presets = false;
  std::string study;                     ///< not empty: the name of the study to make, of the sources and lists above
  std::string runs_dir;                  ///< where a study keeps the reports of its runs; empty: nowhere
  std::string published;                 ///< a file of speeds to compare the study's with; empty: none
  std::optional<PredictOptions> predict; ///< predict the sources, or search
  std::string help;                      ///< not empty: print this and do nothing else
};

/// Errors: invalid_argument (one line for the user), unsupported (an ISA that this machine cannot run).
mote::Result<Options> parse_options(int argc, const char* const* argv);

/// Positions that the session of a run needs, if the model has as many. Error: invalid_argument.
mote::Result<int> context_of_run(const std::string& model, int model_n_ctx, int asked, int prompt, int generate);

} // namespace bench

/// Runs models and takes the time.
#pragma once
#include <functional>

#include "bench/options.h"
#include "bench/progress.h"
#include "bench/report.h"

namespace bench {

/// Measures every combination of the options in turn and hands over each report as soon as there is one; take says whether to
/// go on. Errors: those of the library, and take's.
mote::Status run_all(const Options& options, Progress& progress, const std::function<mote::Status(RunReport)>& take);

/// Writes the model that options.save is about. Errors: those of the library.
mote::Status save_model(const Options& options, Progress& progress);

} // namespace bench

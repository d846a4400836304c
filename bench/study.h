/// Runs of many models, each in a process of its own.
#pragma once
#include <string>

#include "bench/options.h"
#include "bench/output.h"
#include "bench/progress.h"

namespace bench {

/// Measures the models of options.study with the options' only type, prompt, generation, threads and ISA, each in a new process
/// that runs this program, and writes a Markdown table, a row as soon as it is there. A model that cannot be run has the reason
/// in its row. Error: io, and of starting a process.
mote::Status run_study(const Options& options, Progress& progress, Output& output);

} // namespace bench

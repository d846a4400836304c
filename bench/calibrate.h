/// What the steps of models cost on this machine, found by running small models.
#pragma once
#include <vector>

#include "bench/progress.h"
#include "mote/predict.h"

namespace bench {

/// Whether a machine that reads memory at these speeds, bytes per second, is in the same state.
bool same_state(double a, double b);

/// Runs random models of every type that a mix can give, in the caches and in memory, with passes of 1 to 256 tokens: one to two
/// minutes. One calibration for each state that the machine was in for long enough.
/// Errors: of measuring, of the library, and io when no state lasts.
mote::Result<std::vector<mote::Calibration>> calibrate(mote::Isa isa, int n_threads, Progress& progress);

} // namespace bench

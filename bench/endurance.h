/// Decoding for long: what measuring costs, and whether the machine keeps its speed.
#pragma once
#include <chrono>
#include <functional>

#include "bench/report.h"
#include "bench/runner.h"
#include "mote/result.h"

namespace bench {

/// Decodes token by token, some with the profiler and some without in turn, for so long and at least 160 tokens. The runner's
/// session has a profile. Errors: those of the library.
mote::Result<Overhead> measure_overhead(Runner& runner, std::chrono::seconds least);

/// Decodes for so many seconds; show is told the seconds that have passed. Errors: those of the library.
mote::Result<Sustained> sustain(Runner& runner, int seconds, const std::function<void(int)>& show);

} // namespace bench

/// What threads did and when, as a file for Perfetto or chrome://tracing.
#pragma once
#include <span>
#include <string>

#include "bench/report.h"

namespace bench {

/// JSON in the trace event format, of the runs that have a trace: a process for each, a track for each thread and one above them
/// for prompt and tokens. Times in microseconds since the first event.
std::string trace_json(std::span<const RunReport> runs);

} // namespace bench

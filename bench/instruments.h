/// The options of bench_breakdown that measure more than time and memory, or write more than the report.
#pragma once
#include <optional>
#include <string>

#include "bench/energy.h"
#include "mote/result.h"

namespace CLI {
class App;
}

namespace bench {

struct Instruments {
  std::string trace;     ///< path; empty: none
  bool overhead = false; ///< measure what measuring costs
  int sustain = 0;       ///< seconds; 0: none
  std::optional<PowerFile> power_file;
};

/// The words of the command line, before they are understood.
struct InstrumentWords {
  std::string trace, sustain, power_file;
  bool overhead = false;
  void describe(CLI::App& app);
  /// Error: invalid_argument.
  mote::Result<Instruments> read() const;
};

} // namespace bench

/// What is known of the machine and of this process.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "mote/isa.h"

namespace bench {

struct Machine {
  std::string cpu;             ///< the name that it gives itself
  int n_processors = 0;        ///< that the system has, hardware threads counted
  int n_performance_cores = 0; ///< that this process may use
  std::vector<mote::Isa> isas; ///< that it can run
};

Machine this_machine();

/// Bytes of memory that this process holds, as the system counts them; 0: it does not say.
struct ProcessMemory {
  std::size_t peak = 0;      ///< most at once since the start, or since the last reset_peak_memory() where that works
  std::size_t resident = 0;  ///< now: anonymous + mapped
  std::size_t anonymous = 0; ///< of its own
  std::size_t mapped = 0;    ///< of files and what is shared, the program itself among them
};
ProcessMemory process_memory();
void reset_peak_memory();

/// What the machine says of itself while it works; 0: it does not say.
struct Sensors {
  double core_hz = 0; ///< mean of its processors
  double celsius = 0; ///< of its warmest zone
};
/// root: "/sys"
Sensors read_sensors(const std::string& root);

} // namespace bench

/// How fast this machine multiplies: the limit of prefill.
#pragma once
#include "mote/isa.h"
#include "mote/result.h"

namespace bench {

/// Multiplications, each with its addition, per second; 0 for an ISA whose instructions are not known here (scalar).
struct Peaks {
  double int8 = 0; ///< of bytes, summed in the lanes that the ISA's cheapest instructions give
  double fp32 = 0; ///< fused, of floats
};

/// Loops of nothing but independent instructions of the ISA, on n_threads at once; the best of several passes, about twenty
/// milliseconds in all. The machine can run the ISA. Error: out_of_memory.
mote::Result<Peaks> measure_peaks(mote::Isa isa, int n_threads);

/// Cycles per second of a core that works: of a chain of additions, each of which needs the last one's result and takes a cycle.
double measure_core_hz();

} // namespace bench

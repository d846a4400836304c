/// What this machine can do at most: the limits that the parts of a run are held against.
#pragma once
#include <map>
#include <utility>

#include "mote/isa.h"
#include "mote/profile.h"
#include "mote/result.h"

namespace bench {

/// Of some threads and one ISA, per second. 0: not known.
struct Roofline {
  double read_bandwidth = 0; ///< bytes
  double int8 = 0, fp32 = 0; ///< operations: a multiplication with its addition is two
  /// Nanoseconds that a step takes at least, which reads while it computes. Not a number where a limit is not known that counts.
  double least_ns(const mote::StepProfile& step) const;
};

/// Measures each limit once.
class Rooflines {
 public:
  /// The machine can run the ISA. Error: out_of_memory.
  mote::Result<Roofline> measure(mote::Isa isa, int n_threads);

 private:
  std::map<int, double> read_bandwidths_; ///< by number of threads
  std::map<std::pair<mote::Isa, int>, Roofline> rooflines_;
};

} // namespace bench

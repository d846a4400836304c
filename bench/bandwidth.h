/// How fast this machine reads memory: the limit of decode.
#pragma once
#include "mote/result.h"

namespace bench {

/// Bytes per second that n_threads together read from memory, each one stream of its own in huge pages: the best of several
/// passes over a buffer larger than the caches, about a fifth of a second in all. Error: out_of_memory.
mote::Result<double> measure_read_bandwidth(int n_threads);

} // namespace bench

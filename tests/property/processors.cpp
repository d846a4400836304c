// Sessions run no more threads than there are processors. What many threads compute is to be tested on any machine, so this
// program has a count of its own, in place of lib/runtime/cpu_count.cpp.
#include "lib/runtime/cpus.h"

int mote::runtime::available_cpu_count() noexcept { return 64; }

#include "tests/property/processors.h"

#include "lib/runtime/cpus.h"

std::atomic<int> processor_count{64};

int mote::runtime::available_cpu_count() noexcept { return processor_count; }

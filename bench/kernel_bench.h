/// What bench_mul_mat_vec and bench_mul_mat share: all but their names and defaults.
#pragma once
#include <string>
#include <vector>

#include "bench/kernel_options.h"

namespace bench {

/// The whole program. name: the benchmarks' first word. Returns the exit status.
int run_kernel_bench(const std::string& name, int argc, char** argv, const std::vector<int>& tokens,
                     const std::vector<Place>& places);

} // namespace bench

// How fast decode's kernels are: every format, from the second-level cache and from memory.
#include "bench/kernel_bench.h"

int main(int argc, char** argv) {
  return bench::run_kernel_bench("mul_mat_vec", argc, argv, {}, {bench::Place::l2, bench::Place::dram});
}

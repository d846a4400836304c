// How fast prefill's kernels are: every format, with several tokens at once.
#include "bench/kernel_bench.h"

int main(int argc, char** argv) { return bench::run_kernel_bench("mul_mat", argc, argv, {8, 50, 128, 512}, {bench::Place::l2}); }

/// The command line of bench_mul_mat_vec and bench_mul_mat, beside Google Benchmark's own.
#pragma once
#include <string>
#include <vector>

#include "mote/isa.h"
#include "mote/result.h"
#include "mote/types.h"

namespace bench {

/// Where the weights lie when they are read.
enum class Place { l2, dram };

/// Every combination is measured.
struct KernelOptions {
  struct Matrix {
    int n_rows = 0; ///< 0: of a size that suits the place
    int n_cols = 4096;
  };
  std::vector<mote::TensorType> types;
  std::vector<mote::Isa> isas;
  std::vector<int> threads;
  std::vector<int> tokens;
  std::vector<Place> places;
  std::vector<Matrix> matrices;
  bool libraries = true;
  std::string help; ///< not empty: print this and nothing else
};

/// What the arguments say, or else the defaults: all types, the default ISA, 1 thread and as many as there are performance cores.
/// tokens is empty for a program that has no such option.
/// Errors: invalid_argument, unsupported (an ISA that this machine cannot run).
mote::Result<KernelOptions> parse_kernel_options(int argc, const char* const* argv, std::vector<int> tokens,
                                                 std::vector<Place> places);

} // namespace bench

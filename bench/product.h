/// Multiplications that bench_mul_mat_vec and bench_mul_mat time.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "mote/isa.h"
#include "mote/kernels.h"
#include "mote/result.h"
#include "mote/types.h"

namespace bench {

/// out[token][row] = sum over columns of weights[row][column] * x[token][column].
struct Shape {
  int n_rows = 0, n_cols = 0, n_tokens = 1;
  double multiplications() const { return static_cast<double>(n_rows) * n_cols * n_tokens; }
};

/// One shape over several copies of its weights, together as large as the memory that they are to be read from.
struct Product {
  std::size_t weight_bytes = 0; ///< of a copy
  int n_callers = 1;            ///< threads that must call run at once; 1 where the library brings its own
  /// The part of thread 0 .. n_callers - 1 of the product with one copy.
  std::function<void(std::size_t copy, int thread)> run;
};

/// What to multiply and how often it is there.
struct ProductSize {
  Shape shape;
  std::size_t n_copies = 1;
  int n_threads = 1;
  mote::WeightsIn weights_in = mote::WeightsIn::memory;
};

/// The library's own kernel. Errors: invalid_argument (columns), out_of_memory.
mote::Result<Product> own_product(mote::TensorType type, mote::Isa isa, const ProductSize& size);

/// n numbers from -1 to 1.
std::vector<float> random_floats(std::size_t n, unsigned seed);

} // namespace bench

/// Other libraries' products of the same shapes, to compare ours with. Each is there if CMake found it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "bench/pages.h"
#include "bench/product.h"

namespace bench {

struct Library {
  std::string name;
  std::string type;    ///< of its weights and activations: "F32", or "I8" with one scale for all of them
  std::string version; ///< with what else matters; empty if the library does not tell
  mote::Result<Product> (*product)(const ProductSize& size);
  std::size_t bytes_per_weight() const { return type == "I8" ? 1 : 4; }
};

/// Those that this program was built with.
std::vector<Library> libraries();
/// Those that it could have been built with besides: "Eigen, XNNPACK".
std::string missing_libraries();

// In library_NAME.cpp.
Library eigen_library();
Library openblas_library();
std::vector<Library> xnnpack_libraries();

/// What a library multiplies, row-major.
struct Operands {
  Shape shape;
  Pages<float> weights;   ///< [n_copies, n_rows, n_cols], all copies the same
  std::vector<float> x;   ///< [n_tokens, n_cols]
  std::vector<float> out; ///< [n_tokens, n_rows]
  const float* copy(std::size_t i) const {
    return weights.get() + i * static_cast<std::size_t>(shape.n_rows) * static_cast<std::size_t>(shape.n_cols);
  }
};
/// Error: out_of_memory.
mote::Result<std::shared_ptr<Operands>> make_operands(const Shape& shape, std::size_t n_copies);

/// Whether operands.out is the product, as far as it may be off. Error: unsupported, with a number that is wrong.
mote::Status check_result(const Operands& operands, double tolerance);

} // namespace bench

#include "bench/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bench {

std::vector<Library> libraries() {
  std::vector<Library> found;
#ifdef BENCH_WITH_EIGEN
  found.push_back(eigen_library());
#endif
#ifdef BENCH_WITH_OPENBLAS
  found.push_back(openblas_library());
#endif
#ifdef BENCH_WITH_XNNPACK
  for (const Library& library : xnnpack_libraries()) found.push_back(library);
#endif
  return found;
}

std::string missing_libraries() {
  std::string missing;
  for (const char* name : {"Eigen", "OpenBLAS", "XNNPACK"}) {
    const auto found = libraries();
    if (std::ranges::none_of(found, [&](const Library& library) { return library.name == name; }))
      missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  return missing;
}

mote::Result<std::shared_ptr<Operands>> make_operands(const Shape& shape, std::size_t n_copies) {
  const auto n_rows = static_cast<std::size_t>(shape.n_rows), n_cols = static_cast<std::size_t>(shape.n_cols),
             n_tokens = static_cast<std::size_t>(shape.n_tokens);
  const auto operands = std::make_shared<Operands>();
  operands->shape = shape;
  operands->weights = allocate_pages<float>(n_copies * n_rows * n_cols);
  if (!operands->weights) return mote::Error{mote::ErrorCode::out_of_memory, "out of memory: no buffer for the weights"};
  const std::vector<float> weights = random_floats(n_rows * n_cols, 2);
  for (std::size_t copy = 0; copy < n_copies; ++copy) std::ranges::copy(weights, operands->weights.get() + copy * weights.size());
  operands->x = random_floats(n_tokens * n_cols, 1);
  operands->out.resize(n_tokens * n_rows);
  return operands;
}

mote::Status check_result(const Operands& operands, double tolerance) {
  const auto n_cols = static_cast<std::size_t>(operands.shape.n_cols), n_rows = static_cast<std::size_t>(operands.shape.n_rows);
  for (const std::size_t token : {std::size_t{0}, static_cast<std::size_t>(operands.shape.n_tokens - 1)}) {
    for (const std::size_t row : {std::size_t{0}, n_rows / 3, n_rows - 1}) {
      double expected = 0;
      for (std::size_t col = 0; col < n_cols; ++col)
        expected +=
            static_cast<double>(operands.copy(0)[row * n_cols + col]) * static_cast<double>(operands.x[token * n_cols + col]);
      const double found = static_cast<double>(operands.out[token * n_rows + row]);
      if (!(std::abs(found - expected) <= tolerance))
        return mote::Error{mote::ErrorCode::unsupported, fmt::format("wrong result for row {} of token {}: expected {}, found {}",
                                                                     row, token, expected, found)};
    }
  }
  return {};
}

} // namespace bench

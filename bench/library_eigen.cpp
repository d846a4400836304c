// Eigen, compiled for the machine that compiles it. It has no threads of its own for these products; ours share the rows.
#include <Eigen/Core>

#include "bench/library.h"

namespace bench {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Strided = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

void multiply(const Operands& o, const float* weights, float* all_out, int first_row, int n_rows) {
  const Eigen::Map<const Matrix> w(weights + static_cast<std::ptrdiff_t>(first_row) * o.shape.n_cols, n_rows, o.shape.n_cols);
  float* const out = all_out + first_row;
  if (o.shape.n_tokens == 1) {
    const Eigen::Map<const Eigen::VectorXf> x(o.x.data(), o.shape.n_cols);
    Eigen::Map<Eigen::VectorXf>(out, n_rows).noalias() = w * x;
  } else {
    const Eigen::Map<const Matrix> x(o.x.data(), o.shape.n_tokens, o.shape.n_cols);
    Strided(out, o.shape.n_tokens, n_rows, Eigen::OuterStride<>(o.shape.n_rows)).noalias() = x * w.transpose();
  }
}

mote::Result<Product> product(const ProductSize& size) {
  const auto operands = make_operands(size.shape, size.n_copies);
  if (!operands) return operands.error();
  Operands& o = **operands;
  multiply(o, o.copy(0), o.out.data(), 0, o.shape.n_rows);
  if (mote::Status s = check_result(o, 1e-5 * o.shape.n_cols); !s) return s.error();
  Product product;
  product.weight_bytes = sizeof(float) * static_cast<std::size_t>(o.shape.n_rows) * static_cast<std::size_t>(o.shape.n_cols);
  product.n_callers = size.n_threads;
  product.run = [operands = *operands, n_threads = size.n_threads](std::size_t copy, int thread) {
    const std::int64_t n_rows = operands->shape.n_rows;
    const auto first = static_cast<int>(n_rows * thread / n_threads), last = static_cast<int>(n_rows * (thread + 1) / n_threads);
    multiply(*operands, operands->copy(copy), operands->out.data(), first, last - first);
  };
  return product;
}

} // namespace

Library eigen_library() {
  return {"Eigen", "F32",
          std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
              std::to_string(EIGEN_MINOR_VERSION) + " with " + Eigen::SimdInstructionSetsInUse(),
          product};
}

} // namespace bench

// OpenBLAS, with its own threads.
#include <cblas.h>

#include "bench/library.h"

namespace bench {
namespace {

void multiply(Operands& o, const float* weights) {
  const auto [n_rows, n_cols, n_tokens] = o.shape;
  if (n_tokens == 1)
    cblas_sgemv(CblasRowMajor, CblasNoTrans, n_rows, n_cols, 1, weights, n_cols, o.x.data(), 1, 0, o.out.data(), 1);
  else
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n_tokens, n_rows, n_cols, 1, o.x.data(), n_cols, weights, n_cols, 0,
                o.out.data(), n_rows);
}

mote::Result<Product> product(const ProductSize& size) {
  const auto operands = make_operands(size.shape, size.n_copies);
  if (!operands) return operands.error();
  Operands& o = **operands;
  openblas_set_num_threads(1);
  multiply(o, o.copy(0));
  if (mote::Status s = check_result(o, 1e-5 * o.shape.n_cols); !s) return s.error();
  Product product;
  product.weight_bytes = sizeof(float) * static_cast<std::size_t>(o.shape.n_rows) * static_cast<std::size_t>(o.shape.n_cols);
  product.run = [operands = *operands, n_threads = size.n_threads](std::size_t copy, int) {
    if (openblas_get_num_threads() != n_threads) openblas_set_num_threads(n_threads);
    multiply(*operands, operands->copy(copy));
  };
  return product;
}

} // namespace

Library openblas_library() {
  const std::string config =
      openblas_get_config(); // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY SkylakeX MAX_THREADS=64"
  const std::size_t begin = config.find(' ') + 1;
  return {"OpenBLAS", "F32", config.substr(begin, config.find(' ', begin) - begin) + " with " + openblas_get_corename(), product};
}

} // namespace bench

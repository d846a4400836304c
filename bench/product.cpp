#include "bench/product.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <random>

namespace bench {
namespace {

/// Bytes of which any two or four in a row are an ordinary f16, bf16 or float, neither huge nor tiny: blocks of every type that
/// multiply without overflow and without the numbers on which some processors are slow.
std::vector<std::byte> random_bytes(std::size_t n) {
  std::vector<std::byte> bytes(n);
  std::minstd_rand random(1);
  for (std::byte& b : bytes) b = static_cast<std::byte>((random() >> 8 & 0x87) | 0x30);
  return bytes;
}

} // namespace

std::vector<float> random_floats(std::size_t n, unsigned seed) {
  std::vector<float> floats(n);
  std::mt19937 random(seed);
  for (float& x : floats) x = static_cast<float>(random() >> 16) / 32768.0f - 1.0f;
  return floats;
}

mote::Result<Product> own_product(mote::TensorType type, mote::Isa isa, const ProductSize& size) {
  const Shape& shape = size.shape;
  const mote::TypeInfo& info = mote::type_info(type);
  if (shape.n_cols % info.block_weights != 0)
    return mote::Error{mote::ErrorCode::invalid_argument, fmt::format("{} has blocks of {} columns, which {} are no multiple of",
                                                                      info.name, info.block_weights, shape.n_cols)};
  const auto n_rows = static_cast<std::size_t>(shape.n_rows), n_cols = static_cast<std::size_t>(shape.n_cols),
             n_tokens = static_cast<std::size_t>(shape.n_tokens);
  const auto x = mote::Activations::quantize(isa, random_floats(n_tokens * n_cols, 1), shape.n_tokens, shape.n_cols);
  if (!x) return x.error();
  const auto out = std::make_shared<std::vector<float>>(n_tokens * n_rows);
  const std::vector<std::byte> rows = random_bytes(n_rows * mote::row_bytes(type, n_cols));
  std::vector<mote::PreparedMulMat> calls;
  Product product;
  for (std::size_t copy = 0; copy < size.n_copies; ++copy) {
    const auto weights = mote::PackedMatrix::pack(type, rows, shape.n_rows, shape.n_cols);
    if (!weights) return weights.error();
    const auto call = mote::PreparedMulMat::prepare(isa, *weights, *x, *out, n_rows, size.weights_in);
    if (!call) return call.error();
    calls.push_back(*call);
    product.weight_bytes = weights->panels().size();
  }
  product.n_callers = size.n_threads;
  product.run = [calls, out, n_threads = size.n_threads](std::size_t copy, int thread) {
    const std::int64_t n_panels = calls[copy].n_panels();
    calls[copy].run(static_cast<int>(n_panels * thread / n_threads), static_cast<int>(n_panels * (thread + 1) / n_threads));
  };
  return product;
}

} // namespace bench

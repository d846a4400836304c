#include "tests/catch.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "lib/weights/tensors.h"
#include "quant/quant.h"

namespace {

using namespace mote;
using weights::Role;
using weights::TensorDesc;

TensorDesc matrix(std::string name, std::int64_t n_rows, std::int64_t n_cols) {
  return {std::move(name), Role::ffn_up, weights::Form::matrix, 0, n_rows, n_cols, {}};
}

std::vector<std::byte> rows_of(const TensorDesc& tensor, TensorType type, std::uint64_t seed, std::int64_t first,
                               std::int64_t last) {
  std::vector<std::byte> bytes(
      static_cast<std::size_t>(last - first) * row_bytes(type, static_cast<std::size_t>(tensor.n_cols)) + 16, std::byte{0xee});
  weights::random_rows(tensor, type, seed, first, last, bytes.data());
  // guards behind the last row
  CHECK(std::count(bytes.end() - 16, bytes.end(), std::byte{0xee}) == 16);
  bytes.resize(bytes.size() - 16);
  return bytes;
}

std::vector<float> values_of(const TensorDesc& tensor, TensorType type, std::uint64_t seed) {
  const auto bytes = rows_of(tensor, type, seed, 0, tensor.n_rows);
  std::vector<float> values(static_cast<std::size_t>(tensor.n_rows * tensor.n_cols));
  const std::size_t n_cols = static_cast<std::size_t>(tensor.n_cols), stride = row_bytes(type, n_cols);
  for (std::size_t row = 0; row < static_cast<std::size_t>(tensor.n_rows); ++row)
    quant::dequantize(type, bytes.data() + row * stride, {values.data() + row * n_cols, n_cols});
  return values;
}

struct Moments {
  double mean = 0, deviation = 0, largest = 0;
};

Moments moments_of(const std::vector<float>& values, std::size_t first = 0, std::size_t step = 1) {
  double sum = 0, squares = 0, largest = 0, n = 0;
  for (std::size_t i = first; i < values.size(); i += step, ++n) {
    sum += static_cast<double>(values[i]);
    squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    largest = std::max(largest, std::fabs(static_cast<double>(values[i])));
  }
  return {sum / n, std::sqrt(squares / n - sum / n * (sum / n)), largest};
}

} // namespace

TEST_CASE("random matrices of every type have the promised mean and deviation") {
  for (const TypeInfo& type : all_types()) {
    for (const std::int64_t n_cols : {256, 2048, 11008}) {
      const TensorDesc tensor = matrix("blk.0.ffn_up.weight", 1024 * 512 / n_cols, n_cols);
      const auto values = values_of(tensor, type.type, 42);
      const double expected = 1 / std::sqrt(static_cast<double>(n_cols));
      const Moments all = moments_of(values);
      INFO(type.name << " with " << n_cols << " columns: mean " << all.mean / expected << ", deviation "
                     << all.deviation / expected << ", largest " << all.largest / expected);
      CHECK(all.deviation == Approx(expected).epsilon(0.01));
      // half a million values, in blocks with signs of their own
      CHECK(std::fabs(all.mean) < 0.01 * expected);
      CHECK(all.largest < 8 * expected);
      // no position of a block is different from the others
      for (std::size_t column = 0; column < 256; column += 37) {
        const Moments some = moments_of(values, column, 256);
        INFO("column " << column);
        CHECK(some.deviation == Approx(expected).epsilon(0.15));
        CHECK(std::fabs(some.mean) < 0.15 * expected);
      }
    }
  }
}

TEST_CASE("random rows do not depend on how they are split, only on seed, name and row") {
  for (const TypeInfo& type : all_types()) {
    INFO(type.name);
    const TensorDesc tensor = matrix("blk.7.ffn_up.weight", 21, 512);
    const auto all = rows_of(tensor, type.type, 5, 0, 21);
    std::vector<std::byte> parts;
    for (const auto& [first, last] : {std::pair{0, 1}, std::pair{1, 16}, std::pair{16, 16}, std::pair{16, 21}}) {
      const auto part = rows_of(tensor, type.type, 5, first, last);
      parts.insert(parts.end(), part.begin(), part.end());
    }
    CHECK(all == parts);
    CHECK(all == rows_of(tensor, type.type, 5, 0, 21));
    CHECK(all != rows_of(tensor, type.type, 6, 0, 21));
    CHECK(all != rows_of(matrix("blk.8.ffn_up.weight", 21, 512), type.type, 5, 0, 21));
    const std::size_t stride = row_bytes(type.type, 512);
    for (std::size_t row = 1; row < 21; ++row) CHECK(std::memcmp(all.data(), all.data() + row * stride, stride) != 0);
  }
}

TEST_CASE("rows of any length and extreme widths stay finite") {
  for (const std::int64_t n_cols : {1, 2, 3, 7, 2046}) {
    for (const TensorType type : {TensorType::F32, TensorType::F16, TensorType::BF16}) {
      const auto values = values_of(matrix("w", 5, n_cols), type, 1);
      CHECK(std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x) && std::fabs(x) < 2.0f; }));
    }
  }
  for (const TypeInfo& type : all_types()) {
    for (const std::int64_t n_cols : {std::int64_t{256}, std::int64_t{1} << 20}) {
      const auto values = values_of(matrix("w", 1, n_cols), type.type, 3);
      INFO(type.name << " with " << n_cols);
      CHECK(moments_of(values).deviation ==
            Approx(1 / std::sqrt(static_cast<double>(n_cols))).epsilon(n_cols == 256 ? 0.6 : 0.05));
      CHECK(std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); }));
    }
  }
}

TEST_CASE("random vectors: norms about one, biases small, factors as they are") {
  TensorDesc norm{"blk.0.attn_norm.weight", Role::attn_norm, weights::Form::vector, 0, 1, 1001, {}};
  auto values = values_of(norm, TensorType::F32, 9);
  CHECK(std::all_of(values.begin(), values.end(), [](float x) { return x >= 0.9f && x <= 1.1f; }));
  CHECK(moments_of(values).mean == Approx(1).epsilon(0.01));
  CHECK(moments_of(values).deviation > 0.05);
  TensorDesc bias{"blk.0.attn_q.bias", Role::attn_q, weights::Form::bias, 0, 1, 1001, {}};
  values = values_of(bias, TensorType::F32, 9);
  CHECK(std::all_of(values.begin(), values.end(), [](float x) { return std::fabs(x) <= 0.05001f; }));
  CHECK(moments_of(values).deviation > 0.025);
  TensorDesc factors{"rope_freqs.weight", Role::rope_freqs, weights::Form::vector, -1, 1, 3, {1, 2.5f, 32}};
  CHECK(values_of(factors, TensorType::F32, 9) == factors.values);
}

TEST_CASE("random blocks of Q8_0 keep to the codes that quantizers write") {
  const auto bytes = rows_of(matrix("w", 64, 512), TensorType::Q8_0, 2, 0, 64);
  std::size_t n_bad = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) n_bad += i % 34 >= 2 && bytes[i] == std::byte{0x80};
  CHECK(n_bad == 0);
}

TEST_CASE("the bytes of a seed are fixed") {
  // a model of a seed is the same on every machine and in every version: change these only with a reason
  const auto hash = [](const std::vector<std::byte>& bytes) {
    std::uint64_t h = 0xcbf29ce484222325u;
    for (const std::byte b : bytes) h = (h ^ static_cast<std::uint64_t>(b)) * 0x100000001b3u;
    return h;
  };
  const TensorDesc tensor = matrix("blk.0.ffn_up.weight", 4, 512);
  for (const auto& [type, expected] : {std::pair{TensorType::F32, std::uint64_t{0x46c095f56ff1c3a7}},
                                       std::pair{TensorType::F16, std::uint64_t{0x47cdf00ad7a98e6a}},
                                       std::pair{TensorType::Q8_0, std::uint64_t{0x6060d387303cfde4}},
                                       std::pair{TensorType::Q5_0, std::uint64_t{0xc0a47c5520c30335}},
                                       std::pair{TensorType::Q4_K, std::uint64_t{0x1568e4db59619711}},
                                       std::pair{TensorType::Q6_K, std::uint64_t{0x42168d1e2c70b999}}}) {
    INFO(type_info(type).name << " 0x" << std::hex << hash(rows_of(tensor, type, 1, 0, 4)));
    CHECK(hash(rows_of(tensor, type, 1, 0, 4)) == expected);
  }
}

// The promise of the kernels: the same bits on every ISA, for one token or many, for any split of the panels, and nothing
// touched beside.
#include <limits>

#include "tests/catch.h"
#include "tests/kernels/matrices.h"

using namespace kernel_tests;

namespace {

bool same_bits(const float* a, const float* b, std::size_t n) { return std::memcmp(a, b, n * sizeof(float)) == 0; }

/// [n, stride] with guard values around what a kernel may write; checks them.
struct GuardedOut {
  static constexpr float kGuard = 12345.0f;
  int n, n_rows;
  std::size_t stride;
  Exact<float> memory;

  GuardedOut(int n, int n_rows, int extra)
      : n(n),
        n_rows(n_rows),
        stride(to_size(n_rows + extra)),
        memory(to_size(n) * stride - to_size(extra), kGuard) {} // the last row ends with the memory
  float* row(int t) const { return memory.data() + to_size(t) * stride; }
  bool holds(const std::vector<float>& expected, int first_row, int last_row) const {
    for (int t = 0; t < n; ++t) {
      const float* want = expected.data() + to_size(t) * to_size(n_rows);
      if (!same_bits(row(t) + first_row, want + first_row, to_size(last_row - first_row))) return false;
      for (std::size_t i = 0; i < stride && row(t) + i < memory.data() + memory.size(); ++i) {
        const bool written = static_cast<int>(i) >= first_row && static_cast<int>(i) < last_row;
        if (!written && row(t)[i] != kGuard) return false;
      }
    }
    return true;
  }
};

void check_matrix(const std::vector<const KernelTable*>& all, const Matrix& m, const Inputs& in) {
  in.quantize(*all[0]);
  const std::vector<float> expected = multiply_all(*all[0], m, in);
  for (const KernelTable* table : all) {
    INFO(name_of(*table, m));
    for (int n : {1, 2, 3, 5, 8, 11, 21}) { // the first n tokens: the same as when all are computed at once
      const GuardedOut out(n, m.n_rows, 3);
      multiply(*table, m, in, 0, n, 0, m.n_panels(), out.row(0), out.stride);
      INFO(n << " tokens");
      REQUIRE(out.holds(expected, 0, m.n_rows));
    }
    for (int t = 1; t < in.n_tokens; t += 7) { // a token by itself
      const GuardedOut out(1, m.n_rows, 0);
      multiply(*table, m, in, t, 1, 0, m.n_panels(), out.row(0), out.stride);
      REQUIRE(same_bits(out.row(0), expected.data() + to_size(t * m.n_rows), to_size(m.n_rows)));
    }
    for (int split = 1; split < m.n_panels(); ++split) { // some of the panels
      const GuardedOut first(5, m.n_rows, 1), second(5, m.n_rows, 1);
      multiply(*table, m, in, 0, 5, 0, split, first.row(0), first.stride);
      multiply(*table, m, in, 0, 5, split, m.n_panels(), second.row(0), second.stride);
      REQUIRE(first.holds(expected, 0, 16 * split));
      REQUIRE(second.holds(expected, 16 * split, m.n_rows));
    }
    const GuardedOut none(2, m.n_rows, 1);
    multiply(*table, m, in, 0, 2, 0, 0, none.row(0), none.stride);
    multiply(*table, m, in, 0, 0, 0, m.n_panels(), none.row(0), none.stride);
    REQUIRE(none.holds(expected, 0, 0));
  }
}

} // namespace

TEST_CASE("mul_mat: every ISA computes scalar's bits, for any tokens and panels") {
  const auto all = tables();
  Random random(1);
  for (const auto& info : mote::all_types()) {
    if (!promises_bits(info.type)) continue;
    for (int n_cols : test_columns(info.type)) {
      for (int n_rows : {1, 15, 16, 17, 37}) {
        const Matrix m(info.type, n_rows, n_cols, Weights::finite, random);
        const Inputs in(21, n_cols);
        in.fill(random);
        check_matrix(all, m, in);
      }
    }
  }
}

TEST_CASE("mul_mat: any bytes as weights give the same bits on every ISA") {
  const auto all = tables();
  Random random(2);
  for (const auto& info : mote::all_types()) {
    if (!promises_bits(info.type)) continue;
    for (int round = 0; round < 4; ++round) {
      const Matrix m(info.type, 37, test_columns(info.type)[to_size(1 + round % 2)], Weights::hostile, random);
      const Inputs in(21, m.n_cols);
      in.fill(random);
      check_matrix(all, m, in);
    }
  }
}

TEST_CASE("mul_mat: activations at the limits of float give the same bits on every ISA") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kMax = std::numeric_limits<float>::max();
  const auto all = tables();
  Random random(3);
  for (const auto& info : mote::all_types()) {
    if (!promises_bits(info.type)) continue;
    const Matrix m(info.type, 33, info.block_weights == 1 ? 289 : 512, Weights::finite, random);
    const Inputs in(21, m.n_cols);
    in.fill(random);
    for (int t = 0; t < in.n_tokens; ++t) { // a special value in one place, in a block, in every other place
      const float special[7] = {kInfinity, -kInfinity, std::bit_cast<float>(0x7fc00000u), std::bit_cast<float>(0xffa12345u), kMax,
                                -kMax,     0x1p-149f};
      const int step = t < 7 ? m.n_cols : t < 14 ? 1 : 2, end = t < 14 ? 40 : m.n_cols;
      for (int i = 37; i < m.n_cols && (i < end || t < 7); i += step) in.token(t)[i] = special[t % 7];
    }
    check_matrix(all, m, in);
    const auto out = multiply_all(*all[0], m, in);
    for (int row = 0; row < m.n_rows; ++row) {
      INFO(info.name << " row " << row);
      REQUIRE(std::bit_cast<std::uint32_t>(out[to_size(2 * m.n_rows + row)]) == 0x7fc00000u); // NaN in, the one NaN out
    }
  }
}

TEST_CASE("mul_mat: many tokens and long rows, past the limit of one pass over the panels") {
  const auto all = tables();
  Random random(4);
  for (TensorType type : {TensorType::Q4_K, TensorType::F16}) {
    if (!promises_bits(type)) continue;
    const Matrix m(type, 17, 8192, Weights::finite, random);
    const Inputs in(type == TensorType::Q4_K ? 71 : 21, m.n_cols);
    in.fill(random);
    in.quantize(*all[0]);
    const auto expected = multiply_all(*all[0], m, in);
    for (const KernelTable* table : all) {
      INFO(name_of(*table, m));
      const auto out = multiply_all(*table, m, in);
      REQUIRE(same_bits(out.data(), expected.data(), out.size()));
    }
  }
}

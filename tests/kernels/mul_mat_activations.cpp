// Activations in int8: what every field of a block says, on every ISA, for any floats.
#include <algorithm>

#include "tests/catch.h"
#include "tests/kernels/matrices.h"

using namespace kernel_tests;

namespace {

constexpr int kOld = 0x5a; // the byte that was everywhere in the blocks

/// The block as its description has it, from x: [n], n <= 256; its tail is left alone.
ActBlock expected_block(const float* x, int n) {
  ActBlock a{};
  std::memset(static_cast<void*>(&a), kOld, sizeof(a));
  for (int b = 0; b < n / 32; ++b) {
    for (auto& sums : {a.neg_sum16[2 * b], a.neg_sum16[2 * b + 1], a.neg_sum32[b]}) sums[0] = sums[1] = 0;
    float max = 0;
    bool finite = true;
    for (int i = 0; i < 32; ++i) {
      finite = finite && std::isfinite(x[32 * b + i]);
      max = std::max(max, std::fabs(x[32 * b + i]));
    }
    if (max < 0x1p-90f) max = 0;
    const float inverse = max > 0 ? 127.0f / max : 0.0f;
    int sum = 0;
    for (int i = 0; i < 32; ++i) {
      const int k = 32 * b + i;
      const int q = finite ? static_cast<int>(std::nearbyint(x[k] * inverse)) : 0;
      a.q[k] = static_cast<std::int8_t>(q);
      a.neg_sum16[k / 16][k % 4 / 2] = static_cast<std::int16_t>(a.neg_sum16[k / 16][k % 4 / 2] - q);
      a.neg_sum32[b][k % 4 / 2] = static_cast<std::int16_t>(a.neg_sum32[b][k % 4 / 2] - q);
      sum += q;
    }
    const float nan = std::bit_cast<float>(0x7fc00000u);
    a.scale[b] = finite ? max * (1.0f / 127.0f) : nan;
    a.scale_16th[b] = finite ? a.scale[b] / 16 : nan;
    a.sum[b] = finite ? a.scale[b] * static_cast<float>(sum) : nan;
  }
  return a;
}

void check_row(const Inputs& in) {
  for (const KernelTable* table : tables()) {
    INFO(table->name << " " << in.n_cols);
    std::memset(static_cast<void*>(in.act.data()), kOld, in.act.bytes());
    in.quantize(*table);
    for (int t = 0; t < in.n_tokens; ++t)
      for (int done = 0; done < in.n_cols; done += 256) {
        const ActBlock expected = expected_block(in.token(t) + done, std::min(256, in.n_cols - done));
        const ActBlock& found = in.act[to_size(t) * in.stride() + to_size(done / 256)];
        REQUIRE(std::memcmp(&found, &expected, sizeof(ActBlock)) == 0);
      }
  }
}

} // namespace

TEST_CASE("quantize_row: every field of every block, for any number of columns") {
  Random random(7);
  for (int n_cols : {32, 64, 224, 256, 288, 576, 4096}) {
    const Inputs in(3, n_cols);
    in.fill(random);
    check_row(in);
  }
}

TEST_CASE("quantize_row: a part of a row changes just the fields of its columns") {
  Random random(9);
  const Inputs in(1, 608);
  in.fill(random);
  for (const KernelTable* table : tables()) {
    INFO(table->name);
    in.quantize(*table);
    const std::vector<ActBlock> whole(in.act.data(), in.act.data() + in.stride());
    std::memset(static_cast<void*>(in.act.data()), kOld, in.act.bytes());
    for (const auto& [first, n] : {std::pair{576, 32}, {0, 96}, {512, 64}, {96, 416}})
      table->quantize_row(in.token(0) + first, first, n, in.act.data());
    for (int b = 0; b < 2; ++b) REQUIRE(std::memcmp(&in.act[to_size(b)], &whole[to_size(b)], sizeof(ActBlock)) == 0);
    const ActBlock tail = expected_block(in.token(0) + 512, 96);
    REQUIRE(std::memcmp(&in.act[2], &tail, sizeof(ActBlock)) == 0);
  }
}

TEST_CASE("quantize_row: an activation is at most half a step from its code") {
  Random random(8);
  const auto scalar = tables()[0];
  const Inputs in(1, 4096);
  in.fill(random);
  in.quantize(*scalar);
  for (int k = 0; k < in.n_cols; ++k) {
    const ActBlock& a = in.act[to_size(k / 256)];
    const double scale = static_cast<double>(a.scale[k % 256 / 32]);
    REQUIRE(std::abs(a.q[k % 256]) <= 127);
    REQUIRE(std::fabs(static_cast<double>(in.x[to_size(k)]) - scale * a.q[k % 256]) <= 0.5001 * scale + 0x1p-90);
  }
}

TEST_CASE("quantize_row: ties go to the even code") {
  const Inputs in(1, 32);
  in.x[0] = 127;
  for (std::size_t i = 1; i < 32; ++i) in.x[i] = static_cast<float>(i) - 16.5f;
  check_row(in);
  REQUIRE(in.act[0].q[16] == 0);  // -0.5
  REQUIRE(in.act[0].q[18] == 2);  // 1.5
  REQUIRE(in.act[0].q[19] == 2);  // 2.5
  REQUIRE(in.act[0].q[13] == -4); // -3.5
}

TEST_CASE("quantize_row: any floats at all give the block that is described") {
  Random random(9);
  const Inputs in(64, 256);
  for (std::size_t i = 0; i < in.x.size(); ++i) {
    const auto bits = random.u32();
    in.x[i] = std::bit_cast<float>(i % 256 < 128 ? bits : bits & 0xbfffffffu); // half of the blocks surely finite
  }
  for (int t = 0; t < 16; ++t) { // magnitudes around every limit: subnormal, 2^-90, and the largest
    const float value[8] = {0x1p-149f, 0x1p-127f, 0x1.fffffep-91f, 0x1p-90f, 0x1p-80f, 0x1p100f, 0x1.fffffep127f, -0.0f};
    for (int b = 0; b < 8; ++b)
      for (int i = 0; i < 32; ++i)
        in.token(t)[32 * b + i] = random.below(3) == 0 || i == t ? value[b] : -value[b] * random.unit();
  }
  check_row(in);
}

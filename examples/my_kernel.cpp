// A mul_mat_vec kernel of one's own beside the library's: checked against it, and timed. Put yours in place of my_mul_mat_vec.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "mote/kernels.h"

constexpr int kRows = 128, kCols = 4096;
/// 32 weights, scale * code, as a GGUF file has them; the scale is an f16.
struct BlockQ8_0 { std::uint16_t scale; std::int8_t codes[32]; };

void my_mul_mat_vec(const std::vector<BlockQ8_0>& blocks, const std::vector<float>& x, std::vector<float>& out) {
  for (std::size_t row = 0; row < kRows; ++row) {
    float& sum = out[row] = 0;
    for (std::size_t b = 0; b < kCols / 32; ++b) {
      const BlockQ8_0& block = blocks[row * (kCols / 32) + b];
      float dot = 0;
      for (std::size_t i = 0; i < 32; ++i) dot += static_cast<float>(block.codes[i]) * x[32 * b + i];
      sum += std::ldexp(dot * static_cast<float>(block.scale % 1024 + 1024), block.scale / 1024 - 25); // of a positive, normal f16
    }
  }
}

template <class F> double best_microseconds(F multiply) {
  double best = 1e9;
  for (int i = 0; i < 200; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    multiply();
    best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

int fail(const mote::Error& error) { return std::fprintf(stderr, "my_kernel: %s\n", error.message.c_str()), 1; }

int main() {
  std::mt19937 random(1);
  std::vector<BlockQ8_0> blocks(kRows * kCols / 32, BlockQ8_0{0x2000, {}}); // scale 2^-7
  for (BlockQ8_0& block : blocks)
    for (std::int8_t& code : block.codes) code = static_cast<std::int8_t>(random() % 255 - 127);
  std::vector<float> x(kCols), mine(kRows), ours(kRows);
  for (float& value : x) value = static_cast<float>(random() % 2001) / 1000 - 1;
  const auto isa = mote::default_isa();
  if (!isa) return fail(isa.error());
  const auto weights = mote::PackedMatrix::pack(mote::TensorType::Q8_0, std::as_bytes(std::span(blocks)), kRows, kCols);
  const auto activations = mote::Activations::quantize(*isa, x, 1, kCols); // to 8 bits: the results differ by that
  if (!weights || !activations) return fail(weights ? activations.error() : weights.error());
  const auto call = mote::PreparedMulMat::prepare(*isa, *weights, *activations, ours, kRows);
  if (!call) return fail(call.error());
  const double my_time = best_microseconds([&] { my_mul_mat_vec(blocks, x, mine); });
  const double our_time = best_microseconds([&] { call->run(0, call->n_panels()); });
  double error = 0, size = 0;
  for (std::size_t i = 0; i < kRows; ++i) error += std::pow(mine[i] - ours[i], 2), size += std::pow(ours[i], 2);
  std::printf("mine %.1f us, ours %.1f us; they differ by %.2f%%\n", my_time, our_time, 100 * std::sqrt(error / size));
  return std::sqrt(error / size) < 0.02 ? 0 : 1;
}

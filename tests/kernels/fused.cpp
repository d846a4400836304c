// The fused multiply-add of the scalar kernels, against the C library's.
#include <limits>

#include "kernels/fused.h"
#include "tests/catch.h"
#include "tests/kernels/matrices.h"

using kernel_tests::Random;

namespace {

/// Of an exponent in a narrow range, so that products and sums meet in every way; often with few significant bits.
float near_float(Random& random, int exponent, int spread) {
  const auto biased = static_cast<std::uint32_t>(127 + exponent + random.below(2 * spread + 1) - spread);
  const std::uint32_t mantissa = random.u32() & 0x7fffffu & ~((1u << random.below(24)) - 1u);
  return std::bit_cast<float>((random.u32() & 0x80000000u) | biased << 23 | mantissa);
}

void check(float a, float b, float c) {
  const float expected = std::fma(a, b, c), found = mote::kernels::fused_multiply_add(a, b, c);
  if (std::bit_cast<std::uint32_t>(expected) == std::bit_cast<std::uint32_t>(found)) return;
  INFO(a << " * " << b << " + " << c);
  REQUIRE(std::isnan(expected));
  REQUIRE(std::isnan(found));
}

} // namespace

TEST_CASE("fused multiply-add: rounds once, for any floats") {
  Random random(14);
  for (int i = 0; i < 200000; ++i) {
    check(std::bit_cast<float>(random.u32()), std::bit_cast<float>(random.u32()), std::bit_cast<float>(random.u32()));
    check(near_float(random, 0, 3), near_float(random, 0, 3), near_float(random, 0, 30));
    check(near_float(random, 0, 3), near_float(random, -120, 5), near_float(random, -120, 5)); // into the subnormals
    check(near_float(random, 60, 3), near_float(random, 65, 3), near_float(random, 125, 2));   // into infinity
    check(near_float(random, 0, 3), near_float(random, 0, 3), std::bit_cast<float>(random.u32() & 0x83ffffffu)); // a tiny addend
    const float a = near_float(random, 0, 3), b = near_float(random, 0, 3);
    check(a, b, -(a * b)); // all but the rounding of the product cancels
    check(a, b, std::nextafter(-(a * b), 0.0f));
  }
}

TEST_CASE("fused multiply-add: zeros, infinities and NaNs") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kMax = std::numeric_limits<float>::max();
  const float values[] = {0.0f, -0.0f, 1.0f, -1.0f, kInfinity, -kInfinity, kMax, -kMax, 0x1p-149f, -0x1p-149f, std::nanf("")};
  for (float a : values)
    for (float b : values)
      for (float c : values) check(a, b, c);
}

// quant/half.cpp: every pattern of the two 16-bit floats, and every place where rounding changes its mind.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "quant/quant.h"
#include "tests/catch.h"

using namespace mote;

namespace {

// The value by the definition: sign, exponent and significand, in double, where everything here is exact.
double value_of(std::uint16_t half, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = half >> fraction_bits & ((1 << exponent_bits) - 1);
  const int fraction = half & ((1 << fraction_bits) - 1);
  const double magnitude = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                                         : std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

// Wrong patterns of: up and down again, midpoints of neighbours and the floats beside them, both signs.
template <class Up, class Down> int wrong_patterns(int exponent_bits, Up up, Down down) {
  const std::uint16_t infinity = static_cast<std::uint16_t>(0x7FFF << (15 - exponent_bits) & 0x7FFF);
  int wrong = 0;
  for (std::uint16_t h = 0; h < infinity; ++h) {
    for (const std::uint16_t sign : {std::uint16_t{0}, std::uint16_t{0x8000}}) {
      const std::uint16_t low = h | sign;
      const std::uint16_t high = static_cast<std::uint16_t>(low + 1); // beyond the largest: infinity, where rounding carries
      const float value = up(low);
      if (static_cast<double>(value) != value_of(low, exponent_bits) || std::signbit(value) != (sign != 0)) ++wrong;
      if (down(value) != low) ++wrong;
      const double next = value_of(high, exponent_bits); // of infinity: the power of two that would come next
      const double exact_middle = (value_of(low, exponent_bits) + next) / 2;
      const float middle = static_cast<float>(exact_middle);
      if (static_cast<double>(middle) != exact_middle) ++wrong;
      const float outward = std::copysign(std::numeric_limits<float>::infinity(), value);
      if (down(middle) != ((low & 1) == 0 ? low : high)) ++wrong;
      if (down(std::nextafter(middle, 0.0f)) != low) ++wrong;
      if (down(std::nextafter(middle, outward)) != high) ++wrong;
    }
  }
  return wrong;
}

} // namespace

TEST_CASE("f16: exact up, nearest even down, for every pattern", "[quant]") {
  CHECK(wrong_patterns(5, quant::f32_from_f16, quant::f16_from_f32) == 0);
  CHECK(quant::f16_from_f32(1e30f) == 0x7C00);
  CHECK(quant::f16_from_f32(-65536.0f) == 0xFC00);
  CHECK(quant::f16_from_f32(std::numeric_limits<float>::denorm_min()) == 0);
  CHECK(quant::f16_from_f32(-1e-30f) == 0x8000);
}

TEST_CASE("bf16: exact up, nearest even down, for every pattern", "[quant]") {
  CHECK(wrong_patterns(8, quant::f32_from_bf16, quant::bf16_from_f32) == 0);
  CHECK(quant::bf16_from_f32(std::numeric_limits<float>::max()) == 0x7F80);
}

TEST_CASE("halves: infinities stay, NaNs stay NaN and are quiet", "[quant]") {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(quant::f32_from_f16(0x7C00) == infinity);
  CHECK(quant::f32_from_f16(0xFC00) == -infinity);
  CHECK(quant::f16_from_f32(-infinity) == 0xFC00);
  CHECK(quant::f32_from_bf16(0xFF80) == -infinity);
  CHECK(quant::bf16_from_f32(infinity) == 0x7F80);
  int wrong = 0;
  for (std::uint32_t h = 0x7C01; h <= 0x7FFF; ++h) {
    const float nan = quant::f32_from_f16(static_cast<std::uint16_t>(h));
    if (std::bit_cast<std::uint32_t>(nan) != (0x7FC00000u | (h & 0x03FF) << 13)) ++wrong;
    if (quant::f16_from_f32(nan) != (h | 0x0200)) ++wrong;
  }
  CHECK(wrong == 0);
  for (const std::uint32_t bits : {0x7F800001u, 0x7FC00000u, 0xFF80FFFFu, 0xFFFFFFFFu}) { // rounding must not carry them away
    INFO(bits);
    CHECK(std::isnan(quant::f32_from_f16(quant::f16_from_f32(std::bit_cast<float>(bits)))));
    CHECK(std::isnan(quant::f32_from_bf16(quant::bf16_from_f32(std::bit_cast<float>(bits)))));
  }
}

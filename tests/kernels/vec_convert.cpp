// f32 to f16: every rounding decision of the format, on every ISA.
#include "quant/quant.h"
#include "tests/catch.h"
#include "tests/kernels/vectors.h"

using namespace kernel_tests;

namespace {

std::vector<std::uint16_t> convert(const KernelTable& table, const std::vector<float>& x) {
  std::vector<std::uint16_t> out(x.size());
  table.f16_from_f32(x.data(), static_cast<int>(x.size()), out.data());
  return out;
}

/// The value of f16 bits below infinity; where infinity would stand, the number that the format would hold there.
double f16_value(std::uint32_t bits) {
  const std::uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  return exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, static_cast<int>(exponent) - 25);
}

} // namespace

TEST_CASE("f16_from_f32: every f16 and every border between two of them") {
  std::vector<float> x;
  std::vector<std::uint16_t> expected;
  const auto expect = [&](float value, std::uint32_t bits) {
    x.push_back(value);
    expected.push_back(static_cast<std::uint16_t>(bits));
    x.push_back(-value);
    expected.push_back(static_cast<std::uint16_t>(bits | 0x8000));
  };
  for (std::uint32_t h = 0; h < 0x7c00; ++h) {
    const float value = static_cast<float>(f16_value(h)), next = static_cast<float>(f16_value(h + 1));
    const float border = (value + next) / 2; // exact
    expect(value, h);
    expect(std::nextafter(border, value), h);
    expect(border, h + (h & 1)); // ties to even
    expect(std::nextafter(border, next), h + 1);
  }
  expect(65536.0f, 0x7c00);
  expect(std::numeric_limits<float>::max(), 0x7c00);
  expect(HUGE_VALF, 0x7c00);
  expect(0x1p-149f, 0);
  for (const KernelTable* table : tables()) {
    INFO(table->name);
    REQUIRE(convert(*table, x) == expected);
  }
}

TEST_CASE("f16_from_f32: agrees with quant over the whole range of floats; every NaN becomes the same one") {
  std::vector<float> x;
  std::vector<std::uint16_t> expected;
  for (std::uint64_t bits = 0; bits < 1ull << 32; bits += 8191) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    expected.push_back(std::isnan(x.back()) ? 0x7e00 : mote::quant::f16_from_f32(x.back()));
  }
  for (std::uint32_t bits : {0x7f800001u, 0xff800001u, 0x7fffffffu, 0xffffffffu, 0x7fc00000u, 0xffc00000u}) {
    x.push_back(std::bit_cast<float>(bits));
    expected.push_back(0x7e00);
  }
  for (const KernelTable* table : tables()) {
    INFO(table->name);
    REQUIRE(convert(*table, x) == expected);
  }
}

TEST_CASE("f16_from_f32: any length, and one lane of panels") {
  Random random(41);
  for (const KernelTable* table : tables()) {
    for (int n : kLengths) {
      INFO(table->name << ", n = " << n);
      const auto x = random_values(n, Values::any, random);
      const Guarded<float> in(x, false);
      const auto expected = convert(*tables()[0], x);
      for (bool guards : {false, true}) {
        const Guarded<std::uint16_t> out(std::vector<std::uint16_t>(x.size()), guards);
        table->f16_from_f32(in.data(), n, out.data());
        REQUIRE(out.values() == expected);
        REQUIRE(out.guards_intact());
      }
      // lane 5 of the panels; the other lanes stay, and the memory ends with the last element of the lane
      const std::uint16_t other = 0x1234;
      const Guarded<std::uint16_t> panel(std::vector<std::uint16_t>(16 * x.size() - 10, other), false);
      table->f16_from_f32_lane(in.data(), n, panel.data() + 5);
      REQUIRE(panel.guards_intact());
      const auto values = panel.values();
      for (std::size_t i = 0; i < values.size(); ++i) REQUIRE(values[i] == (i % 16 == 5 ? expected[i / 16] : other));
    }
  }
}

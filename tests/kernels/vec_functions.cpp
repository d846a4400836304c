// exp, the tail of the normal distribution and the activations against double arithmetic, over dense sweeps of all floats.
#include "kernels/math.h"
#include "kernels/simd_scalar.h"
#include "mote/spec.h"
#include "tests/catch.h"
#include "tests/kernels/vectors.h"

using namespace kernel_tests;

namespace {

namespace mk = mote::kernels;
using Lanes = mk::Scalar::F32;

/// Every float of [low, high] whose bits are a multiple of step.
template <class Fn> void sweep(float low, float high, std::uint64_t step, Fn fn) {
  std::uint64_t seen = 0;
  for (std::uint64_t bits = 0; bits < 1ull << 32; bits += step) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!(x >= low && x <= high)) continue;
    fn(x);
    ++seen;
  }
  REQUIRE(seen > 100);
}

float exp_of(float x) {
  Lanes lanes{};
  lanes.v[3] = x;
  return mk::exp<mk::Scalar>(lanes).v[3];
}
float tail_of(float x) {
  Lanes lanes{};
  lanes.v[5] = x;
  return mk::normal_tail<mk::Scalar>(lanes).v[5];
}

float activation_of(mote::Activation activation, float x) {
  static const KernelTable& scalar = *tables()[0];
  scalar.activate[static_cast<int>(activation)](1, &x);
  return x;
}

/// The largest |found - expected| / bound over a sweep.
template <class Found, class Expected, class Bound>
double worst(float low, float high, std::uint64_t step, Found found, Expected expected, Bound bound) {
  double most = 0;
  float at = 0;
  sweep(low, high, step, [&](float x) {
    const double ratio = std::fabs(found(x) - expected(static_cast<double>(x))) / bound(static_cast<double>(x));
    if (!(ratio <= most)) { // NaN counts
      most = ratio;
      at = x;
    }
  });
  UNSCOPED_INFO("worst at " << at);
  return most;
}

constexpr float kMax = std::numeric_limits<float>::max();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

double gelu_tanh_exponent(double x) { return 2 * std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x); }
double gelu_erf(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }

} // namespace

TEST_CASE("exp: within 1 ulp, subnormal results included") {
  const auto exact = [](double x) { return std::exp(x); };
  REQUIRE(worst(-103.9f, 88.7228f, 20011, exp_of, exact, [&](double x) { return ulp_of(std::exp(x)); }) <= 1.0);
  REQUIRE(worst(-1.0f, 1.0f, 40009, exp_of, exact, [&](double x) { return ulp_of(std::exp(x)); }) <= 1.0);
}

TEST_CASE("exp: ends of the range and special values") {
  for (float x : {0.0f, -0.0f, 1e-40f, -1e-40f, 0x1p-30f}) REQUIRE(exp_of(x) == 1.0f);
  for (float x : {88.7229f, 89.0f, 1000.0f, kMax, kInf}) REQUIRE(exp_of(x) == kInf);
  for (float x : {-104.0f, -1000.0f, -kMax, -kInf}) REQUIRE(same_value(exp_of(x), 0.0f));
  REQUIRE(std::isfinite(exp_of(88.72283f)));
  REQUIRE(exp_of(-103.2789f) == 0x1p-149f); // the smallest subnormal: e^x = 1.0 .. 1.5 * 2^-149
  REQUIRE(std::isnan(exp_of(kNan)));
  REQUIRE(std::isnan(exp_of(std::bit_cast<float>(0xff800001u))));
}

TEST_CASE("normal_tail: small absolute error, and few digits lost far out") {
  const auto exact = [](double x) { return 0.5 * std::erfc(x / std::sqrt(2.0)); };
  REQUIRE(worst(0, 10, 20011, tail_of, exact, [](double) { return 3.5e-8; }) <= 1.0);
  REQUIRE(worst(0, 4, 20011, tail_of, exact, [&](double x) { return 4e-6 * exact(x); }) <= 1.0);
  REQUIRE(worst(4, 10, 20011, tail_of, exact, [&](double x) { return 1e-4 * exact(x); }) <= 1.0);
  for (float x : {10.0f, 11.0f, kMax, kInf}) REQUIRE(tail_of(x) == tail_of(10.0f));
  REQUIRE(tail_of(0) == 0.5f);
  REQUIRE(std::isnan(tail_of(kNan)));
}

TEST_CASE("silu: x / (1 + e^-x)") {
  const auto found = [](float x) { return activation_of(mote::Activation::silu, x); };
  const auto exact = [](double x) { return x / (1 + std::exp(-x)); };
  REQUIRE(worst(-87, kMax, 20011, found, exact, [&](double x) { return 2.5 * ulp_of(exact(x)); }) <= 1.0);
  REQUIRE(worst(-kMax, -87, 20011, found, exact, [](double) { return 0x1p-120; }) <= 1.0); // becomes 0 instead of subnormal
}

TEST_CASE("gelu_tanh: as exact as the exponent allows") {
  const auto found = [](float x) { return activation_of(mote::Activation::gelu_tanh, x); };
  const auto exact = [](double x) { return x / (1 + std::exp(-gelu_tanh_exponent(x))); };
  REQUIRE(worst(0, kMax, 20011, found, exact, [&](double x) { return 2 * ulp_of(exact(x)); }) <= 1.0);
  // four roundings of the exponent and the coefficients', a unit each
  REQUIRE(worst(-10, 0, 20011, found, exact,
                [&](double x) { return (3 - 2.5 * gelu_tanh_exponent(x)) * ulp_of(exact(x)); }) <= 1.0);
  REQUIRE(worst(-10, 0, 20011, found, exact, [](double) { return 4.5e-8; }) <= 1.0);
  REQUIRE(worst(-kMax, -10, 20011, found, exact, [](double) { return 0x1p-110; }) <= 1.0);
}

TEST_CASE("gelu_erf: x Phi(x)") {
  const auto found = [](float x) { return activation_of(mote::Activation::gelu_erf, x); };
  REQUIRE(worst(0, kMax, 20011, found, gelu_erf, [](double x) { return 1.5 * ulp_of(gelu_erf(x)); }) <= 1.0);
  REQUIRE(worst(-1, 0, 20011, found, gelu_erf, [](double x) { return 2.5 * ulp_of(gelu_erf(x)); }) <= 1.0);
  REQUIRE(worst(-4, -1, 20011, found, gelu_erf, [](double x) { return -4e-6 * gelu_erf(x); }) <= 1.0);
  REQUIRE(worst(-10, 0, 20011, found, gelu_erf, [](double) { return 3.5e-8; }) <= 1.0);
  REQUIRE(worst(-kMax, -10, 20011, found, gelu_erf, [](double x) { return -8e-24 * x; }) <= 1.0);
}

TEST_CASE("activations: special values") {
  using mote::Activation;
  for (Activation a : {Activation::silu, Activation::gelu_tanh, Activation::gelu_erf, Activation::relu}) {
    INFO("activation " << static_cast<int>(a));
    REQUIRE(activation_of(a, 0.0f) == 0.0f);
    REQUIRE(activation_of(a, -0.0f) == 0.0f);
    REQUIRE(std::isnan(activation_of(a, kNan)));
    REQUIRE(activation_of(a, 1000.0f) == 1000.0f);
    REQUIRE(activation_of(a, kMax) == kMax);
    REQUIRE(std::fabs(activation_of(a, -1000.0f)) < 1e-20f);
  }
  REQUIRE(activation_of(Activation::relu, -kInf) == 0.0f);
  REQUIRE(activation_of(Activation::relu, kInf) == kInf);
  REQUIRE(activation_of(Activation::relu, -3.0f) == 0.0f);
  REQUIRE(activation_of(Activation::relu, 1e-40f) == 1e-40f);
}

TEST_CASE("gate: the activation times up") {
  Random random(31);
  const KernelTable& scalar = *tables()[0];
  for (int i = 0; i < mk::kNumActivations; ++i) {
    const auto x = random_values(100, Values::usual, random), up = random_values(100, Values::usual, random);
    auto activated = x, gated = x;
    scalar.activate[i](100, activated.data());
    scalar.gate[i](up.data(), 100, gated.data());
    for (std::size_t k = 0; k < 100; ++k) REQUIRE(same_value(gated[k], activated[k] * up[k]));
  }
}

// Norms against double arithmetic, within bounds that follow from their roundings.
#include "tests/catch.h"
#include "tests/kernels/vectors.h"

using namespace kernel_tests;

namespace {

double mean_of(const std::vector<float>& x) {
  double sum = 0;
  for (float v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

/// Roundings on the longest way of an element into the sum over n: one lane's n / 16 additions, four halvings, the division.
double sum_roundings(int n) { return (n + 15) / 16 + 5; }

} // namespace

TEST_CASE("rms_norm: x / sqrt(mean(x^2) + eps) * weight") {
  Random random(21);
  const KernelTable& scalar = *tables()[0];
  for (int n : kLengths) {
    for (float scale : {1e-6f, 1.0f, 1e6f}) {
      auto x = random_values(n, Values::usual, random);
      for (float& v : x) v *= scale;
      const auto w = random_values(n, Values::usual, random);
      std::vector<float> out(x.size());
      scalar.rms_norm(x.data(), w.data(), 1e-6f, n, out.data());
      double squares = 0;
      for (float v : x) squares += static_cast<double>(v) * v;
      const double inverse = 1 / std::sqrt(squares / n + 1e-6f);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = x[i] * inverse * w[i];
        // half the relative error of the sum; then sqrt, division and two products
        const double bound = std::fabs(expected) * kHalfUlp * (sum_roundings(n) / 2 + 5) + 0x1p-148 * (1 + std::fabs(w[i]));
        INFO("n = " << n << ", element " << i);
        REQUIRE(std::fabs(out[i] - expected) <= bound);
      }
    }
  }
}

TEST_CASE("layer_norm: (x - mean) / sqrt(variance + eps) * weight + bias") {
  Random random(22);
  const KernelTable& scalar = *tables()[0];
  for (int n : kLengths) {
    for (float offset : {0.0f, 3.0f, -1000.0f}) { // a large mean must not cancel the variance
      auto x = random_values(n, Values::usual, random);
      for (float& v : x) v += offset;
      const auto w = random_values(n, Values::usual, random), b = random_values(n, Values::usual, random);
      std::vector<float> out(x.size()), without(x.size());
      scalar.layer_norm(x.data(), w.data(), b.data(), 1e-5f, n, out.data());
      scalar.layer_norm(x.data(), w.data(), nullptr, 1e-5f, n, without.data());
      const double mean = mean_of(x);
      double squares = 0, sizes = 0;
      for (float v : x) {
        squares += (v - mean) * (v - mean);
        sizes += std::fabs(v);
      }
      const double variance = squares / n + 1e-5f, inverse = 1 / std::sqrt(variance);
      const double mean_error = kHalfUlp * sum_roundings(n) * sizes / n;
      // a wrong mean adds its square to the variance; half of a relative error stays after the root
      const double relative = kHalfUlp * (sum_roundings(n) / 2 + 6) + mean_error * mean_error / variance;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double centred = (x[i] - mean) * inverse * w[i], expected = centred + b[i];
        const double slack = std::fabs(inverse * w[i]) * mean_error + std::fabs(centred) * relative + 0x1p-140;
        INFO("n = " << n << ", offset " << offset << ", element " << i);
        REQUIRE(std::fabs(out[i] - expected) <= slack + std::fabs(expected) * kHalfUlp);
        REQUIRE(std::fabs(without[i] - centred) <= slack);
      }
    }
  }
}

TEST_CASE("norms of constant vectors") {
  const KernelTable& scalar = *tables()[0];
  for (int n : {1, 17, 896}) {
    std::vector<float> x(static_cast<std::size_t>(n), 4.0f), w(x.size(), 1.0f), b(x.size(), 0.25f), out(x.size());
    scalar.layer_norm(x.data(), w.data(), b.data(), 1e-5f, n, out.data());
    for (float v : out) REQUIRE(v == 0.25f);
    scalar.rms_norm(x.data(), w.data(), 0.0f, n, out.data());
    for (float v : out) REQUIRE(v == 1.0f);
    std::fill(x.begin(), x.end(), 0.0f);
    scalar.rms_norm(x.data(), w.data(), 1e-5f, n, out.data());
    for (float v : out) REQUIRE(v == 0.0f);
  }
}

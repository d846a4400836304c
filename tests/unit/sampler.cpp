#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "lib/text/exp.h"
#include "mote/sampler.h"
#include "tests/catch.h"

using mote::Sampler;
using mote::SamplerOptions;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

Sampler make(const SamplerOptions& options) {
  auto sampler = Sampler::create(options);
  if (!sampler) FAIL(sampler.error().message);
  return *sampler;
}

/// How often each token is drawn in n draws.
std::vector<int> count(const SamplerOptions& options, const std::vector<float>& logits, int n) {
  Sampler sampler = make(options);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < n; ++i) ++counts.at(static_cast<std::size_t>(sampler.sample(logits)));
  return counts;
}

std::vector<float> random_logits(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> logits(n);
  for (float& x : logits) x = static_cast<float>(random() % 4096) / 256.0f; // with many that are equal
  return logits;
}

} // namespace

TEST_CASE("the greedy sampler takes the largest logit, the lowest id on ties") {
  Sampler greedy = make({});
  CHECK(greedy.sample(std::vector<float>{1, 3, 2}) == 1);
  CHECK(greedy.sample(std::vector<float>{3, 1, 3}) == 0);
  CHECK(greedy.sample(std::vector<float>{kNan, -5, kNan, -4}) == 3);
  CHECK(greedy.sample(std::vector<float>{-kInf, -1e38f}) == 1);
  CHECK(greedy.sample(std::vector<float>{1, kInf, kInf}) == 1);
}

TEST_CASE("nothing is sampled when nothing can be") {
  const SamplerOptions all[] = {{}, {.temperature = 1}, {.temperature = 1, .top_k = 2, .top_p = 0.5f}};
  for (const SamplerOptions& options : all) {
    Sampler sampler = make(options);
    CHECK(sampler.sample({}) == -1);
    CHECK(sampler.sample(std::vector<float>{kNan, kNan}) == -1);
    CHECK(sampler.sample(std::vector<float>{-kInf, kNan}) == -1);
    for (int i = 0; i < 50; ++i) CHECK(sampler.sample(std::vector<float>{kNan, -kInf, 0, kNan}) == 2);
  }
}

TEST_CASE("sampler options are checked") {
  const SamplerOptions bad[] = {{.temperature = -1},
                                {.temperature = kNan},
                                {.temperature = kInf},
                                {.temperature = 1, .top_k = -1},
                                {.temperature = 1, .top_p = 0},
                                {.temperature = 1, .top_p = 1.5f},
                                {.temperature = 1, .top_p = kNan},
                                {.top_p = -1}};
  for (const SamplerOptions& options : bad) {
    const auto sampler = Sampler::create(options);
    REQUIRE_FALSE(sampler);
    CHECK(sampler.error().code == mote::ErrorCode::invalid_argument);
    const std::string name = options.top_k < 0 ? "top_k" : !(options.top_p > 0 && options.top_p <= 1) ? "top_p" : "temperature";
    CHECK(sampler.error().message.find(name) != std::string::npos);
  }
}

TEST_CASE("tokens are drawn as often as their probabilities say") {
  const std::vector<float> logits = {0, std::log(2.0f), std::log(4.0f), -kInf, std::log(1.0f)};
  const int n = 40'000;
  const auto check = [&](const SamplerOptions& options, const std::vector<double>& expected) {
    const auto counts = count(options, logits, n);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      INFO("token " << i << ", temperature " << options.temperature << ", top_k " << options.top_k << ", top_p " << options.top_p);
      const double deviation = std::sqrt(n * expected[i] * (1 - expected[i]));
      CHECK(std::fabs(counts[i] - n * expected[i]) <= 4.5 * deviation);
    }
  };
  check({.temperature = 1}, {1 / 8.0, 2 / 8.0, 4 / 8.0, 0, 1 / 8.0});
  check({.temperature = 0.5f, .seed = 5}, {1 / 22.0, 4 / 22.0, 16 / 22.0, 0, 1 / 22.0});
  check({.temperature = 2, .seed = 9}, {1 / 5.41421356, 1.41421356 / 5.41421356, 2 / 5.41421356, 0, 1 / 5.41421356});
  check({.temperature = 1, .top_k = 2}, {0, 1 / 3.0, 2 / 3.0, 0, 0});
  check({.temperature = 1, .top_k = 3}, {1 / 7.0, 2 / 7.0, 4 / 7.0, 0, 0}); // of the equal ones the lower id
  check({.temperature = 1, .top_k = 1}, {0, 0, 1, 0, 0});
  check({.temperature = 1, .top_k = 99}, {1 / 8.0, 2 / 8.0, 4 / 8.0, 0, 1 / 8.0});
  check({.temperature = 1, .top_p = 0.4f}, {0, 0, 1, 0, 0});
  check({.temperature = 1, .top_p = 0.75f}, {0, 1 / 3.0, 2 / 3.0, 0, 0});
  check({.temperature = 1, .top_p = 0.76f}, {1 / 7.0, 2 / 7.0, 4 / 7.0, 0, 0});
  check({.temperature = 1, .top_k = 2, .top_p = 0.6f}, {0, 0, 1, 0, 0}); // top_p is of what top_k has left
  check({.temperature = 1e-30f}, {0, 0, 1, 0, 0});
  check({.temperature = std::numeric_limits<float>::denorm_min()}, {0, 0, 1, 0, 0});
  check({.temperature = 1e30f}, {0.25, 0.25, 0.25, 0, 0.25});
}

TEST_CASE("infinite logits leave nothing to the others") {
  const auto counts = count({.temperature = 1, .top_p = 0.9f}, {kInf, 3e38f, kInf, kNan}, 200);
  CHECK(counts[0] > 50);
  CHECK(counts[2] > 50);
  CHECK(counts[0] + counts[2] == 200);
}

TEST_CASE("partial sorting keeps what a full sort would keep") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const std::vector<float> logits = random_logits(3000, seed);
    std::vector<std::int32_t> order(logits.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
    const auto logit = [&](std::int32_t t) { return logits[static_cast<std::size_t>(t)]; };
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return logit(a) > logit(b); });
    const float temperature = 1.0f + static_cast<float>(seed) * 4; // up to nearly uniform: top_p keeps most
    double sum = 0, kept = 0;
    const auto weight = [&](std::int32_t t) { return std::exp((static_cast<double>(logit(t)) - 16.0) / static_cast<double>(temperature)); };
    for (const std::int32_t t : order) sum += weight(t);
    std::size_t n_kept = 0;
    while (kept < 0.9 * sum) kept += weight(order[n_kept++]);
    Sampler sampler = make({.temperature = temperature, .top_p = 0.9f, .seed = seed});
    Sampler first = make({.temperature = temperature, .top_k = 37, .seed = seed});
    std::vector<char> is_kept(logits.size()), is_first(logits.size());
    for (std::size_t i = 0; i < n_kept + 1; ++i) is_kept[static_cast<std::size_t>(order[i])] = 1; // one more for rounding
    for (std::size_t i = 0; i < 37; ++i) is_first[static_cast<std::size_t>(order[i])] = 1;
    for (int i = 0; i < 60; ++i) {
      CHECK(is_kept[static_cast<std::size_t>(sampler.sample(logits))]);
      CHECK(is_first[static_cast<std::size_t>(first.sample(logits))]);
    }
  }
}

TEST_CASE("the same seed draws the same tokens, everywhere") {
  const std::vector<float> logits = random_logits(1000, 1);
  const auto draw = [&](const SamplerOptions& options) {
    Sampler sampler = make(options);
    std::vector<std::int32_t> tokens;
    for (int i = 0; i < 8; ++i) tokens.push_back(sampler.sample(logits));
    return tokens;
  };
  const SamplerOptions options{.temperature = 2, .top_k = 100, .top_p = 0.95f, .seed = 1234};
  CHECK(draw(options) == draw(options));
  auto other = options;
  other.seed = 1235;
  CHECK(draw(options) != draw(other));
  // From a program of a few lines in another language.
  CHECK(draw({.temperature = 3, .seed = 42}) == std::vector<std::int32_t>{735, 147, 257, 337, 28, 860, 197, 800});
  CHECK(draw(options) == std::vector<std::int32_t>{718, 656, 660, 28, 695, 934, 338, 622});
}

TEST_CASE("the sampler's exponential function is as good as the library's") {
  CHECK(mote::text::exp_negative(0) == 1);
  CHECK(mote::text::exp_negative(-0.0) == 1);
  CHECK(mote::text::exp_negative(-std::numeric_limits<double>::infinity()) == 0);
  CHECK(mote::text::exp_negative(-1e300) == 0);
  CHECK(mote::text::exp_negative(-708.5) == 0);
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const double x = -708.0 * std::pow(static_cast<double>(random() >> 11) * 0x1p-53, 4);
    const double expected = std::exp(x);
    CHECK(std::fabs(mote::text::exp_negative(x) - expected) <= 1e-15 * expected);
  }
}

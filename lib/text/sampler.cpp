#include "mote/sampler.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>
#include <iterator>
#include <limits>
#include <string>

#include "lib/text/exp.h"

namespace mote {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

bool can_be_chosen(float logit) noexcept { return logit > kNever; } // false for NaN, too

std::int32_t argmax(std::span<const float> logits) noexcept {
  std::int32_t best = -1;
  float largest = kNever;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > largest) {
      largest = logits[i];
      best = static_cast<std::int32_t>(i);
    }
  }
  return best;
}

} // namespace

Result<Sampler> Sampler::create(const SamplerOptions& options) {
  const auto bad = [](const char* name, const char* expected, auto found) {
    char digits[32];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), found).ptr;
    return Error{ErrorCode::invalid_argument, std::string("sampler: ") + name + ": expected " + expected + ", found " + std::string(digits, end)};
  };
  if (!(options.temperature >= 0) || std::isinf(options.temperature)) return bad("temperature", "a finite number, 0 or more", options.temperature);
  if (options.top_k < 0) return bad("top_k", "0 or more", options.top_k);
  if (!(options.top_p > 0 && options.top_p <= 1)) return bad("top_p", "more than 0, 1 at most", options.top_p);
  return Sampler(options);
}

std::int32_t Sampler::sample(std::span<const float> logits) {
  if (options_.temperature == 0) return argmax(logits);
  try {
    return draw(logits);
  } catch (const std::exception&) { // std::bad_alloc
    return -1;
  }
}

std::int32_t Sampler::draw(std::span<const float> logits) {
  const auto more_likely = [](const Candidate& a, const Candidate& b) { return a.logit != b.logit ? a.logit > b.logit : a.token < b.token; };
  std::vector<Candidate>& all = candidates_;
  all.clear();
  all.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (can_be_chosen(logits[i])) all.push_back({0, logits[i], static_cast<std::int32_t>(i)});
  }
  if (all.empty()) return -1;
  const auto k = static_cast<std::size_t>(options_.top_k);
  bool sorted = false;
  if (k != 0 && k < all.size()) {
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k) - 1, all.end(), more_likely);
    all.resize(k);
    std::sort(all.begin(), all.end(), more_likely); // the order decides which token a random number means: it must be ours, not nth_element's
    sorted = true;
  }

  float largest = kNever;
  for (const Candidate& c : all) largest = std::max(largest, c.logit);
  double sum = 0;
  for (Candidate& c : all) {
    if (c.logit == largest) {
      c.weight = 1; // of infinite ones, too, whose difference is no number
    } else {
      c.weight = text::exp_negative((static_cast<double>(c.logit) - static_cast<double>(largest)) / static_cast<double>(options_.temperature));
    }
    sum += c.weight;
  }

  if (options_.top_p < 1) {
    // The most likely ones are sorted, a few at first, until they are enough.
    const double enough = static_cast<double>(options_.top_p) * sum;
    std::size_t n_sorted = sorted ? all.size() : 0, n_kept = 0, step = 64;
    double kept = 0;
    while (n_kept < all.size() && (n_kept == 0 || kept < enough)) {
      if (n_kept == n_sorted) {
        const std::size_t end = std::min(all.size(), n_sorted + step);
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(n_sorted), last = all.begin() + static_cast<std::ptrdiff_t>(end);
        if (last != all.end()) std::nth_element(first, last, all.end(), more_likely);
        std::sort(first, last, more_likely);
        n_sorted = end;
        step *= 4;
      }
      kept += all[n_kept++].weight;
    }
    all.resize(n_kept);
    sum = kept;
  }

  double left = uniform() * sum;
  for (const Candidate& c : all) {
    if (left < c.weight) return c.token;
    left -= c.weight;
  }
  // Rounding has left a little over. What it stands for is the last one that has a probability.
  const auto last = std::find_if(all.rbegin(), all.rend(), [](const Candidate& c) { return c.weight > 0; });
  return last->token;
}

/// Uniform in [0, 1), a multiple of 2^-53. The generator is splitmix64 (Steele, Lea, Flood 2014).
double Sampler::uniform() noexcept {
  state_ += 0x9E3779B97F4A7C15u;
  std::uint64_t z = state_;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

} // namespace mote

#include "lib/spec/rope_scaling.h"

#include <charconv>
#include <numbers>
#include <vector>

#include "lib/spec/limits.h"

namespace mote::spec {

namespace {

double power(double x, int n) {
  double product = 1;
  for (int i = 0; i < n; ++i) product *= x;
  return product;
}

/// The n-th root of x >= 1. By multiplication only: a libm's pow differs between platforms in the last bit, and with it would
/// the model.
double root(double x, int n) {
  double low = 1, high = x;
  for (int i = 0; i < 200; ++i) {
    const double middle = low + (high - low) / 2;
    (power(middle, n) <= x ? low : high) = middle;
  }
  return low;
}

std::vector<float> llama3_factors(const RopeSpec& rope, double factor, double low, double high, double original_ctx) {
  const int n = rope.dims / 2;
  const double ratio = root(rope.base, n);
  std::vector<float> factors;
  double wavelength = 2 * std::numbers::pi; // in positions, of pair 0
  for (int i = 0; i < n; ++i, wavelength *= ratio) {
    if (wavelength < original_ctx / high) {
      factors.push_back(1.0f);
    } else if (wavelength > original_ctx / low) {
      factors.push_back(static_cast<float>(factor));
    } else {
      const double kept = (original_ctx / wavelength - low) / (high - low);
      factors.push_back(static_cast<float>(1 / ((1 - kept) / factor + kept)));
    }
  }
  return factors;
}

/// All of the text is numbers separated by colons, each within the bounds of factors.
bool parse_numbers(std::string_view text, std::vector<double>& numbers) {
  for (const char *at = text.data(), *end = at + text.size();;) {
    double value = 0;
    const auto parsed = std::from_chars(at, end, value);
    if (parsed.ec != std::errc() || !(value >= kMinRopeFactor && value <= kMaxRopeFactor)) return false;
    numbers.push_back(value);
    if (parsed.ptr == end) return true;
    if (*parsed.ptr != ':') return false;
    at = parsed.ptr + 1;
  }
}

} // namespace

bool parse_rope_scaling(std::string_view text, RopeSpec& rope) {
  rope.factors.clear();
  if (text == "none") return true;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view kind = text.substr(0, colon);
  std::vector<double> numbers;
  if (!parse_numbers(text.substr(colon + 1), numbers)) return false;
  if (kind == "linear" && numbers.size() == 1) {
    if (numbers[0] != 1.0) rope.factors.assign(static_cast<std::size_t>(rope.dims / 2), static_cast<float>(numbers[0]));
    return true;
  }
  if (kind == "llama3" && numbers.size() == 4 && numbers[1] < numbers[2]) {
    rope.factors = llama3_factors(rope, numbers[0], numbers[1], numbers[2], numbers[3]);
    return true;
  }
  return false;
}

} // namespace mote::spec

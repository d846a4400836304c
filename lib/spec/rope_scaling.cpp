#include "lib/spec/rope_scaling.h"

#include <charconv>
#include <vector>

#include "lib/hf/rope_factors.h"
#include "lib/spec/limits.h"

namespace mote::spec {

namespace {

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
    rope.factors = hf::llama3_factors(rope.dims, rope.base, {numbers[0], numbers[1], numbers[2], numbers[3]});
    return true;
  }
  return false;
}

} // namespace mote::spec

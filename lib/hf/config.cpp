#include "lib/hf/config.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "lib/gguf/format.h"

namespace mote::hf {

namespace {

std::optional<int> as_integer(const Json& value, int min, int max) {
  const std::int64_t* n = value.integer();
  if (!n || *n < min || *n > max) return std::nullopt;
  return static_cast<int>(*n);
}

std::optional<double> as_real(const Json& value) {
  if (value.integer()) return static_cast<double>(*value.integer());
  if (value.real() && std::isfinite(*value.real())) return *value.real();
  return std::nullopt;
}

std::string range_text(int min, int max) { return "an integer from " + std::to_string(min) + " to " + std::to_string(max); }

} // namespace

void Config::keep(Error error) {
  if (status_) status_ = std::move(error);
}

void Config::fail(ErrorCode code, const std::string& message) { keep({code, path_ + ": " + message}); }

void Config::wrong(std::string_view key, const Json* found, const std::string& expected) {
  const std::string name(key);
  fail(ErrorCode::bad_file,
       found ? name + " is " + found->describe() + ", expected " + expected : name + " is missing, expected " + expected);
}

const Json* Config::find(std::string_view key) const {
  const Json* at = &root_;
  while (at && !key.empty()) {
    const std::size_t dot = key.find('.');
    at = at->find(key.substr(0, dot));
    key = dot == std::string_view::npos ? std::string_view() : key.substr(dot + 1);
  }
  return at && !at->is_null() ? at : nullptr;
}

std::string_view Config::any_of(std::initializer_list<std::string_view> keys) const {
  const auto* it = std::find_if(keys.begin(), keys.end(), [&](std::string_view key) { return has(key); });
  return it == keys.end() ? *keys.begin() : *it;
}

int Config::integer(std::string_view key, int min, int max) {
  const Json* found = find(key);
  if (const auto n = found ? as_integer(*found, min, max) : std::nullopt) return *n;
  wrong(key, found, range_text(min, max));
  return min;
}

int Config::integer_or(std::string_view key, int fallback, int min, int max) {
  return has(key) ? integer(key, min, max) : fallback;
}

double Config::real(std::string_view key) {
  const Json* found = find(key);
  if (const auto x = found ? as_real(*found) : std::nullopt) return *x;
  wrong(key, found, "a number");
  return 1.0;
}

double Config::real_or(std::string_view key, double fallback) { return has(key) ? real(key) : fallback; }

double Config::real_within(std::string_view key, double fallback, double min, double max) {
  const double x = real_or(key, fallback);
  if (x >= min && x <= max) return x;
  wrong(key, find(key), "a number from " + Json{min}.describe() + " to " + Json{max}.describe());
  return min;
}

bool Config::boolean_or(std::string_view key, bool fallback) {
  const Json* found = find(key);
  if (!found) return fallback;
  if (found->boolean()) return *found->boolean();
  wrong(key, found, "true or false");
  return fallback;
}

std::string Config::string(std::string_view key) {
  const Json* found = find(key);
  if (found && found->string()) return *found->string();
  wrong(key, found, "a string");
  return {};
}

std::string Config::string_or(std::string_view key, std::string_view fallback) {
  return has(key) ? string(key) : std::string(fallback);
}

std::vector<double> Config::reals(std::string_view key) {
  std::vector<double> numbers;
  const Json* found = find(key);
  if (found && found->array()) {
    for (const Json& element : *found->array())
      if (const auto x = as_real(element)) numbers.push_back(*x);
    if (numbers.size() == found->array()->size()) return numbers;
  }
  wrong(key, found, "a list of numbers");
  return {};
}

std::vector<int> Config::integers(std::string_view key, int min, int max) {
  std::vector<int> numbers;
  const Json* found = find(key);
  if (found && found->array()) {
    for (const Json& element : *found->array())
      if (const auto n = as_integer(element, min, max)) numbers.push_back(*n);
    if (numbers.size() == found->array()->size()) return numbers;
  }
  wrong(key, found, "a list of which each is " + range_text(min, max));
  return {};
}

std::vector<std::string> Config::strings(std::string_view key) {
  std::vector<std::string> words;
  const Json* found = find(key);
  if (found && found->array()) {
    for (const Json& element : *found->array())
      if (element.string()) words.push_back(*element.string());
    if (words.size() == found->array()->size()) return words;
  }
  wrong(key, found, "a list of strings");
  return {};
}

void Config::expect_word(std::string_view key, std::string_view fallback, std::initializer_list<std::string_view> supported) {
  const std::string found = string_or(key, fallback);
  if (std::find(supported.begin(), supported.end(), found) != supported.end()) return;
  std::string all;
  for (const std::string_view word : supported) all.append(all.empty() ? "" : ", ").append(word);
  unsupported(std::string(key) + " is " + gguf::quote(found) + ", which is not supported; supported: " + all);
}

void Config::expect_flag(std::string_view key, bool fallback, bool supported) {
  if (boolean_or(key, fallback) != supported)
    unsupported(std::string(key) + " is " + (supported ? "false" : "true") + ", which is not supported");
}

void Config::expect_none(std::string_view key) {
  const Json* found = find(key);
  if (!found || (found->boolean() && !*found->boolean())) return;
  if (const auto x = as_real(*found); x && *x == 0.0) return;
  unsupported(std::string(key) + " is " + found->describe() + ", which is not supported");
}

} // namespace mote::hf

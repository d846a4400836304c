/// How words of the command line are described and understood.
#pragma once
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "mote/result.h"

namespace bench {

/// The user is wrong.
inline mote::Error usage(std::string message) { return {mote::ErrorCode::invalid_argument, std::move(message)}; }

template <class T> mote::Result<T> parse_number(const char* option, const std::string& word, T min, T max) {
  T value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || value < min || value > max)
    return usage(fmt::format("{}: expected a whole number from {} to {}, found '{}'", option, min, max, word));
  return value;
}

/// Understands each word with parse(word) and appends what it means; fails as soon as one means nothing.
template <class T, class Parse>
mote::Status parse_all(std::vector<T>& values, const std::vector<std::string>& words, Parse parse) {
  for (const std::string& word : words) {
    mote::Result<T> value = parse(word);
    if (!value) return std::move(value).error();
    values.push_back(*std::move(value));
  }
  return {};
}

/// Says which option a name was given to.
template <class T> mote::Result<T> of_option(const char* option, mote::Result<T> result) {
  if (!result) result.error().message = fmt::format("{}: {}", option, result.error().message);
  return result;
}

inline CLI::Option* add(CLI::App& app, const char* name, const char* type, std::vector<std::string>& words, const char* help) {
  return app.add_option(name, words, help)->type_name(type)->allow_extra_args(false);
}
inline void add(CLI::App& app, const char* name, const char* type, std::string& word, const char* help) {
  app.add_option(name, word, help)->type_name(type);
}

} // namespace bench

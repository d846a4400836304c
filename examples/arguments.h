/// Command lines for small programs, and one way to say that something went wrong. Made to be copied.
#pragma once
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "mote/mote.h"

namespace examples {

/// Exit statuses beside 0.
inline constexpr int kFailure = 1, kUsage = 2;

/// One line on stderr: "program: message".
inline void complain(std::string_view program, std::string message) {
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.size()), program.data(), message.c_str());
}

/// A walk along the command line. A mistake in it ends the program with kUsage.
///
///     Arguments args(argc, argv, kHelp);
///     while (args.next()) {
///       if (args.is("-n")) n = args.integer<int>(1, 100);
///       else if (args.is("--all")) all = true;
///       else if (path.empty() && args.is_plain()) path = args.current();
///       else args.unknown();
///     }
class Arguments {
 public:
  Arguments(int argc, char** argv, std::string_view help) : help_(help), program_(argc > 0 ? argv[0] : "program") {
    program_.erase(0, program_.rfind('/') + 1);
    for (int i = 1; i < argc; ++i) words_.emplace_back(argv[i]);
  }

  const std::string& program() const { return program_; }

  /// Goes to the next option or plain word; false at the end.
  bool next() {
    if (value_given_) fail(current_ + " takes no value");
    if (at_ == words_.size()) return false;
    current_ = words_[at_++];
    const std::size_t equals = current_.find('=');
    if (current_.starts_with("--") && equals != std::string::npos) {
      value_ = current_.substr(equals + 1);
      value_given_ = true;
      current_.resize(equals);
    }
    if (current_ == "--help" || current_ == "-h") {
      std::fwrite(help_.data(), 1, help_.size(), stdout);
      std::exit(0);
    }
    return true;
  }
  bool is(std::string_view option) const { return current_ == option; }
  bool is_plain() const { return !current_.starts_with('-') || current_ == "-"; }
  const std::string& current() const { return current_; }

  /// The value of the current option: behind "=", else the next word.
  std::string text() {
    if (value_given_) {
      value_given_ = false;
      return value_;
    }
    if (at_ == words_.size()) fail(current_ + " needs a value");
    return words_[at_++];
  }
  template <class T>
  T integer(T min, T max) {
    return parse<T>(text(), min, max);
  }
  float number() {
    const std::string word = text();
    float value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) fail(current_ + ": expected a number, found '" + word + "'");
    return value;
  }
  /// "1,2,3"
  std::vector<std::int32_t> integers(std::int32_t min, std::int32_t max) {
    const std::string list = text();
    std::vector<std::int32_t> values;
    for (std::size_t from = 0; from <= list.size();) {
      const std::size_t comma = std::min(list.find(',', from), list.size());
      values.push_back(parse<std::int32_t>(list.substr(from, comma - from), min, max));
      from = comma + 1;
    }
    return values;
  }

  /// The value of result; a name that mote does not know is a mistake in the command line.
  template <class T>
  T value(mote::Result<T> result) {
    if (!result) fail(current_ + ": " + result.error().message);
    return *std::move(result);
  }

  [[noreturn]] void unknown() const { fail("unexpected argument '" + current_ + "'; try --help"); }
  [[noreturn]] void fail(const std::string& message) const {
    complain(program_, message);
    std::exit(kUsage);
  }

 private:
  template <class T>
  T parse(const std::string& word, T min, T max) const {
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || value < min || value > max) {
      fail(current_ + ": expected a whole number from " + std::to_string(min) + " to " + std::to_string(max) + ", found '" + word + "'");
    }
    return value;
  }

  std::string_view help_;
  std::string program_, current_, value_;
  std::vector<std::string> words_;
  std::size_t at_ = 0;
  bool value_given_ = false;
};

/// Says what went wrong; returns the exit status: what the caller asked for wrongly counts as usage.
inline int report(const Arguments& args, const mote::Error& error) {
  complain(args.program(), error.message);
  return error.code == mote::ErrorCode::invalid_argument ? kUsage : kFailure;
}
inline int report(const Arguments& args, const std::string& message) {
  complain(args.program(), message);
  return kFailure;
}

} // namespace examples

/// The values of a config.json.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lib/hf/json.h"
#include "mote/result.h"

namespace mote::hf {

/// A key may be a path of members: "rope_parameters.rope_theta". A key whose value is null counts as missing. The first error is
/// kept; readers go on with values that do no harm, so that a family is read in a straight line.
class Config {
 public:
  /// path: of the file, for messages.
  Config(Json root, std::string path) : root_(std::move(root)), path_(std::move(path)) {}

  const Status& status() const noexcept { return status_; }
  /// If it is the first.
  void keep(Error error);
  /// Puts the file's name before the message.
  void fail(ErrorCode code, const std::string& message);
  void unsupported(const std::string& message) { fail(ErrorCode::unsupported, message); }

  /// Null if it is missing.
  const Json* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// The first of these keys that is there, or else the first of all: configs have changed their words.
  std::string_view any_of(std::initializer_list<std::string_view> keys) const;

  int integer(std::string_view key, int min = 1, int max = kMaxInteger);
  int integer_or(std::string_view key, int fallback, int min = 1, int max = kMaxInteger);
  /// Integers are taken, too; finite.
  double real(std::string_view key);
  double real_or(std::string_view key, double fallback);
  /// Refuses what lies outside of min and max, the fallback as well.
  double real_within(std::string_view key, double fallback, double min, double max);
  bool boolean_or(std::string_view key, bool fallback);
  std::string string(std::string_view key);
  std::string string_or(std::string_view key, std::string_view fallback);
  /// Empty, if it is no list of finite numbers.
  std::vector<double> reals(std::string_view key);
  std::vector<int> integers(std::string_view key, int min = 1, int max = kMaxInteger);
  std::vector<std::string> strings(std::string_view key);

  /// Refuses, by its key, any other word (or the lack of it, if the fallback is another).
  void expect_word(std::string_view key, std::string_view fallback, std::initializer_list<std::string_view> supported);
  void expect_flag(std::string_view key, bool fallback, bool supported);
  /// Refuses a value other than null, false, 0 and nothing at all.
  void expect_none(std::string_view key);

  static constexpr int kMaxInteger = 1 << 24; ///< more than any size that can be run

 private:
  void wrong(std::string_view key, const Json* found, const std::string& expected);

  Json root_;
  std::string path_;
  Status status_;
};

} // namespace mote::hf

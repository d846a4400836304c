/// The values of a shape: "layers=12,d_model=768,...".
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "lib/gguf/format.h"
#include "lib/spec/names.h"
#include "mote/result.h"

namespace mote::spec {

/// The first error is kept; readers go on with their fallback, so that a shape is read in a straight line. Views into the text.
class ShapeValues {
 public:
  const Status& status() const noexcept { return status_; }
  /// shape key "layers": found "x", expected ...
  void fail(std::string_view key, const std::string& expected);

  /// Takes "key=value,key=value". Unknown, repeated and empty keys are errors.
  void parse(std::string_view text);
  /// Puts the values of another shape under these: they count where this one is silent.
  void inherit(const ShapeValues& base);

  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::size_t size() const { return pairs_.size(); }
  std::string_view text(std::string_view key, std::string_view fallback) const;
  int integer(std::string_view key, int min, int max);
  int integer_or(std::string_view key, int fallback, int min, int max) { return has(key) ? integer(key, min, max) : fallback; }
  /// "12:12:16"
  std::vector<int> integers(std::string_view key, int min, int max);
  /// One number for all n layers, or a list of at least n. The rest of a longer one is for shapes of more layers.
  std::vector<int> per_layer(std::string_view key, std::size_t n, int min, int max);
  double real_or(std::string_view key, double fallback, double min, double max);
  float real_or(std::string_view key, float fallback, double min, double max);
  bool boolean_or(std::string_view key, bool fallback);
  template <class E> E word_or(std::string_view key, E fallback) {
    const std::string_view* value = find(key);
    if (!value) return fallback;
    const auto names = names_of(fallback);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == *value) return static_cast<E>(i);
    fail(key, "one of " + join(names));
    return fallback;
  }

 private:
  struct Pair {
    std::string_view key, value;
  };
  const std::string_view* find(std::string_view key) const;
  template <class T> T number_or(std::string_view key, T fallback, double min, double max);

  std::vector<Pair> pairs_;
  Status status_;
};

} // namespace mote::spec

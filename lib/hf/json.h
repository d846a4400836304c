/// JSON as a tree, from untrusted text.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mote/result.h"

namespace mote::hf {

/// One value. The accessors give null when it is of another kind.
class Json {
 public:
  using Array = std::vector<Json>;
  /// Members in the order of the text; keys differ from each other.
  struct Object {
    std::vector<std::string> keys;
    std::vector<Json> values;
  };
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value; ///< monostate: null

  bool is_null() const noexcept { return std::holds_alternative<std::monostate>(value); }
  const bool* boolean() const noexcept { return std::get_if<bool>(&value); }
  /// Integers beyond 63 bits are reals.
  const std::int64_t* integer() const noexcept { return std::get_if<std::int64_t>(&value); }
  const double* real() const noexcept { return std::get_if<double>(&value); }
  const std::string* string() const noexcept { return std::get_if<std::string>(&value); }
  const Array* array() const noexcept { return std::get_if<Array>(&value); }
  const Object* object() const noexcept { return std::get_if<Object>(&value); }

  /// The member of this name; null if there is none, or this is no object.
  const Json* find(std::string_view key) const noexcept;
  /// For messages: `7`, `"abc"`, `a list of 3`.
  std::string describe() const;
};

/// The numbers NaN and Infinity, which Python writes though JSON has none, become null. Time is O(n log n) and memory a multiple
/// (below 50) of the text's size. Errors: bad_file: no JSON, a key that appears twice in an object, more than 64 levels; they say
/// at which byte, but not in which file.
Result<Json> parse_json(std::string_view text);

} // namespace mote::hf

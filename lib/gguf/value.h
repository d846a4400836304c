/// The value of a key, as it lies in the mapped file.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/gguf/cursor.h"

namespace mote::gguf {

struct Value {
  std::string_view key;
  ValueType type = ValueType::u8;
  ValueType element = ValueType::u8; ///< of an array
  std::uint64_t count = 0;           ///< elements of an array
  std::span<const std::byte>
      bytes; ///< behind the value's type, and behind the length of a string, the element type and count of an array
};

/// Reads key, type and value and checks every length in it. Time and memory do not depend on what the lengths claim.
/// Error: bad_file, without the file's name; the key is named once it is known, before that `ordinal` ("key 3 of 20").
Result<Value> read_value(Cursor& cursor, const std::string& ordinal);

/// The value's type, length and bytes as the file has them: what a copy of the value consists of.
std::span<const std::byte> raw_bytes(const Value& value) noexcept;

/// One number of this type; nothing if the type is no integer, or the number is beyond 63 bits.
std::optional<std::int64_t> load_int(ValueType type, const std::byte* from) noexcept;
/// Nothing if the type is not f32 or f64.
std::optional<double> load_float(ValueType type, const std::byte* from) noexcept;

/// What is there, for messages: `u32 7`, `string "abc"`, `array of 12 i32`.
std::string describe(const Value& value);

} // namespace mote::gguf

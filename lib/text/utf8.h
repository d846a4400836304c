/// UTF-8 without trust: what a text begins with, and how much of it is sound.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mote::text {

enum class Utf8 : std::uint8_t {
  valid,   ///< a character
  invalid, ///< bytes that no continuation can make a character
  cut,     ///< the text ends inside what may be a character
};

struct Utf8Char {
  Utf8 kind;
  std::uint8_t size; ///< bytes, 1 to 4; of invalid ones the longest start of a character (what one U+FFFD stands for)
  char32_t code;     ///< of a valid one
};

/// What the text begins with; it must not be empty.
Utf8Char read_char(std::string_view text) noexcept;
/// Bytes at the start that are valid UTF-8.
std::size_t valid_prefix(std::string_view text) noexcept;
/// code: any Unicode scalar value.
void append_char(std::string& out, char32_t code);

} // namespace mote::text

#include "lib/text/utf8.h"

#include <cstring>

namespace mote::text {
namespace {

struct Lead {
  std::uint8_t size;            // 0: begins no character
  unsigned char second_min, second_max; // keeps out overlong forms, surrogates and what lies beyond U+10FFFF
};

Lead lead_of(unsigned char byte) noexcept {
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte < 0xF0) return {3, static_cast<unsigned char>(byte == 0xE0 ? 0xA0 : 0x80), static_cast<unsigned char>(byte == 0xED ? 0x9F : 0xBF)};
  if (byte < 0xF5) return {4, static_cast<unsigned char>(byte == 0xF0 ? 0x90 : 0x80), static_cast<unsigned char>(byte == 0xF4 ? 0x8F : 0xBF)};
  return {0, 0, 0};
}

} // namespace

Utf8Char read_char(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {Utf8::valid, 1, byte(0)};
  const Lead lead = lead_of(byte(0));
  if (lead.size == 0) return {Utf8::invalid, 1, 0};
  char32_t code = byte(0) & (0x7Fu >> lead.size);
  for (std::uint8_t i = 1; i < lead.size; ++i) {
    if (i == text.size()) return {Utf8::cut, i, 0};
    const unsigned char min = i == 1 ? lead.second_min : 0x80, max = i == 1 ? lead.second_max : 0xBF;
    if (byte(i) < min || byte(i) > max) return {Utf8::invalid, i, 0};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  return {Utf8::valid, lead.size, code};
}

std::size_t valid_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight;
    if (text.size() - at >= sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080u) == 0) { // eight characters of ASCII
        at += sizeof eight;
        continue;
      }
    }
    const Utf8Char c = read_char(text.substr(at));
    if (c.kind != Utf8::valid) break;
    at += c.size;
  }
  return at;
}

void append_char(std::string& out, char32_t code) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

} // namespace mote::text

/// The letters as which byte-level BPE vocabularies write bytes (GPT-2's table): printable Latin-1 as itself, the other bytes, in
/// order, as U+0100 and on.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace mote::text {

inline constexpr char32_t kNumByteLetters = 0x144; ///< the last of them is U+0143

constexpr bool is_own_letter(unsigned byte) noexcept { return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD); }

struct ByteLetters {
  std::array<char32_t, 256> letter_of{};
  std::array<std::int16_t, kNumByteLetters> byte_of{}; ///< -1: no byte's letter

  constexpr ByteLetters() {
    for (std::int16_t& byte : byte_of) byte = -1;
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const char32_t letter = is_own_letter(byte) ? byte : next++;
      letter_of[byte] = letter;
      byte_of[static_cast<std::size_t>(letter)] = static_cast<std::int16_t>(byte);
    }
  }
};

inline constexpr ByteLetters kByteLetters;

} // namespace mote::text

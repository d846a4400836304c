// The two 16-bit floats, by integers, so that every machine and every floating-point mode gives the same bits.
#include <bit>
#include <cstdint>

#include "quant/quant.h"

namespace mote::quant {

float f32_from_f16(std::uint16_t h) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000) << 16;
  const std::uint32_t magnitude = h & 0x7FFF;
  if (magnitude >= 0x7C00) { // infinity, NaN (made quiet, as processors do)
    const std::uint32_t quiet = magnitude > 0x7C00 ? 0x00400000u : 0u;
    return std::bit_cast<float>(sign | 0x7F800000u | quiet | magnitude << 13);
  }
  if (magnitude < 0x0400) { // zero, subnormal: a multiple of 2^-24, a normal f32
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24f));
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + (112u << 23))); // the bias of the exponent goes from 15 to 127
}

std::uint16_t f16_from_f32(float x) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000;
  const std::uint32_t magnitude = bits & 0x7FFFFFFF;
  std::uint32_t half = 0;
  if (magnitude > 0x7F800000) { // NaN: the upper bits of the payload, quiet
    half = 0x7E00 | (magnitude >> 13 & 0x03FF);
  } else if (magnitude >= 0x47800000) { // 2^16 and more
    half = 0x7C00;
  } else if (magnitude >= 0x38800000) { // 2^-14 and more: normal; rounding up from 65504 carries into infinity
    half = (magnitude - (112u << 23) + 0x0FFF + (magnitude >> 13 & 1)) >> 13;
  } else if (magnitude >= 0x33000000) { // 2^-25 and more: a multiple of 2^-24
    const std::uint32_t significand = (magnitude & 0x007FFFFF) | 0x00800000;
    const std::uint32_t shift = 126 - (magnitude >> 23); // 14 .. 24
    half = (significand + (1u << (shift - 1)) - 1 + (significand >> shift & 1)) >> shift;
  }
  return static_cast<std::uint16_t>(sign | half);
}

float f32_from_bf16(std::uint16_t h) noexcept { return std::bit_cast<float>(static_cast<std::uint32_t>(h) << 16); }

std::uint16_t bf16_from_f32(float x) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<std::uint16_t>(bits >> 16 | 0x0040); // NaN, quiet
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

} // namespace mote::quant

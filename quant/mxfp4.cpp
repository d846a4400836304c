// MXFP4: 4-bit floats (E2M1) with a power of two (E8M0) per 32 weights. OCP Microscaling Formats, version 1.0.
#include <limits>

#include "quant/block.h"
#include "quant/formats.h"

namespace mote::quant {
namespace {

constexpr float kDoubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}; // code 8 is read as +0

struct BlockMxfp4 {
  std::uint8_t exponent;
  std::uint8_t codes[16]; // byte i holds weight i in its low nibble, weight 16 + i in its high nibble
};
static_assert(sizeof(BlockMxfp4) == 17);

// 2^(exponent - 128): half the scale, since the table above is doubled.
float half_scale(std::uint8_t exponent) noexcept {
  if (exponent == 255) return std::numeric_limits<float>::quiet_NaN();
  const std::uint32_t bits = exponent < 2 ? 0x00200000u << exponent : static_cast<std::uint32_t>(exponent - 1) << 23;
  return std::bit_cast<float>(bits);
}

void decode_block(const BlockMxfp4& block, float* out) noexcept {
  const float scale = half_scale(block.exponent);
  for (int i = 0; i < 16; ++i) {
    out[i] = scale * kDoubled[block.codes[i] & 15];
    out[16 + i] = scale * kDoubled[block.codes[i] >> 4];
  }
}

} // namespace

void decode_mxfp4(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockMxfp4, 32, decode_block>(blocks, n_blocks, out);
}

} // namespace mote::quant

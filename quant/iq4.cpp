// IQ4_NL, IQ4_XS: 4-bit codes that choose from a fixed table of 16 values, denser around zero.
#include "quant/block.h"
#include "quant/formats.h"
#include "quant/quant.h"

namespace mote::quant {
namespace {

constexpr float kValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

struct BlockIq4Nl {
  std::uint16_t d;
  std::uint8_t codes[16]; // byte i holds weight i in its low nibble, weight 16 + i in its high nibble
};
static_assert(sizeof(BlockIq4Nl) == 18);

struct BlockIq4Xs {
  std::uint16_t d;
  std::uint16_t scales_high;  // bits 2b, 2b+1: upper bits of the scale of 32-block b
  std::uint8_t scales_low[4]; // nibble b: its lower bits
  std::uint8_t codes[128];    // 16 bytes a 32-block, arranged as in IQ4_NL
};
static_assert(sizeof(BlockIq4Xs) == 136);

void decode_codes(const std::uint8_t* codes, float scale, float* out) noexcept {
  for (int i = 0; i < 16; ++i) {
    out[i] = scale * kValues[codes[i] & 15];
    out[16 + i] = scale * kValues[codes[i] >> 4];
  }
}

void decode_block(const BlockIq4Nl& block, float* out) noexcept { decode_codes(block.codes, f32_from_f16(block.d), out); }

void decode_block(const BlockIq4Xs& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  for (int b = 0; b < 8; ++b) {
    const int low = block.scales_low[b / 2] >> 4 * (b % 2) & 15;
    const int high = block.scales_high >> 2 * b & 3;
    decode_codes(block.codes + 16 * b, d * static_cast<float>(low + 16 * high - 32), out + 32 * b);
  }
}

} // namespace

void decode_iq4_nl(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockIq4Nl, 32, decode_block>(blocks, n_blocks, out);
}
void decode_iq4_xs(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockIq4Xs, 256, decode_block>(blocks, n_blocks, out);
}

} // namespace mote::quant

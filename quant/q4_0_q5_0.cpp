// Q4_0, Q5_0: 4- or 5-bit codes around zero with an f16 scale per 32 weights.
#include "quant/block.h"
#include "quant/formats.h"
#include "quant/quant.h"
#include "quant/search.h"

namespace mote::quant {
namespace {

struct BlockQ4_0 {
  std::uint16_t d;
  std::uint8_t low[16]; // byte i holds weight i in its low nibble, weight 16 + i in its high nibble
};
static_assert(sizeof(BlockQ4_0) == 18);

struct BlockQ5_0 {
  std::uint16_t d;
  std::uint8_t high[4]; // bit i of the 32: the fifth bit of weight i
  std::uint8_t low[16];
};
static_assert(sizeof(BlockQ5_0) == 22);

void decode_block(const BlockQ4_0& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((block.low[i] & 15) - 8);
    out[16 + i] = d * static_cast<float>((block.low[i] >> 4) - 8);
  }
}

void decode_block(const BlockQ5_0& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  for (int i = 0; i < 32; ++i) {
    const int low = block.low[i % 16] >> 4 * (i / 16) & 15;
    const int high = block.high[i / 8] >> i % 8 & 1;
    out[i] = d * static_cast<float>(low + 16 * high - 16);
  }
}

// The scale, and codes from 0 on: `zero` is the code of 0.
std::uint16_t encode_codes(const float* x, int zero, std::uint8_t* codes) noexcept {
  const CodeRange range{static_cast<float>(-zero), static_cast<float>(zero - 1)};
  float values[32];
  clean_copy<32>(x, values);
  const std::uint16_t d = f16_scale(best_scale<32>(values, range, {-0.5f, 2.0f, 0.25f}));
  const float inverse = inverse_or_zero(f32_from_f16(d));
  for (int i = 0; i < 32; ++i) {
    codes[i] = static_cast<std::uint8_t>(static_cast<int>(nearest_code(values[i] * inverse, range)) + zero);
  }
  return d;
}

BlockQ4_0 encode_q4_0_block(const float* x) noexcept {
  std::uint8_t codes[32];
  BlockQ4_0 block;
  block.d = encode_codes(x, 8, codes);
  pack_nibbles(codes, block.low);
  return block;
}

BlockQ5_0 encode_q5_0_block(const float* x) noexcept {
  std::uint8_t codes[32];
  BlockQ5_0 block;
  block.d = encode_codes(x, 16, codes);
  pack_nibbles(codes, block.low);
  pack_fifth_bits(codes, block.high);
  return block;
}

} // namespace

void decode_q4_0(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ4_0, 32, decode_block>(blocks, n_blocks, out);
}
void decode_q5_0(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ5_0, 32, decode_block>(blocks, n_blocks, out);
}
void encode_q4_0(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<BlockQ4_0, 32, encode_q4_0_block>(x, n_blocks, blocks);
}
void encode_q5_0(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<BlockQ5_0, 32, encode_q5_0_block>(x, n_blocks, blocks);
}

} // namespace mote::quant

// Q4_1, Q5_1: 4- or 5-bit codes with an f16 scale and an f16 minimum per 32 weights.
#include "quant/block.h"
#include "quant/formats.h"
#include "quant/quant.h"
#include "quant/search.h"

namespace mote::quant {
namespace {

struct BlockQ4_1 {
  std::uint16_t d, min;
  std::uint8_t low[16]; // byte i holds weight i in its low nibble, weight 16 + i in its high nibble
};
static_assert(sizeof(BlockQ4_1) == 20);

struct BlockQ5_1 {
  std::uint16_t d, min;
  std::uint8_t high[4]; // bit i of the 32: the fifth bit of weight i
  std::uint8_t low[16];
};
static_assert(sizeof(BlockQ5_1) == 24);

void decode_block(const BlockQ4_1& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  const float min = f32_from_f16(block.min);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(block.low[i] & 15) + min;
    out[16 + i] = d * static_cast<float>(block.low[i] >> 4) + min;
  }
}

void decode_block(const BlockQ5_1& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  const float min = f32_from_f16(block.min);
  for (int i = 0; i < 32; ++i) {
    const int low = block.low[i % 16] >> 4 * (i / 16) & 15;
    const int high = block.high[i / 8] >> i % 8 & 1;
    out[i] = d * static_cast<float>(low + 16 * high) + min;
  }
}

struct Header {
  std::uint16_t d, min;
};

Header encode_codes(const float* x, float highest_code, std::uint8_t* codes) noexcept {
  float values[32];
  clean_copy<32>(x, values);
  const Affine fit = best_affine<32>(values, highest_code, {-0.75f, 0.75f, 0.375f});
  const Header header{f16_scale(fit.scale), finite_f16(fit.min)};
  const float inverse = inverse_or_zero(f32_from_f16(header.d));
  const float min = f32_from_f16(header.min);
  for (int i = 0; i < 32; ++i) {
    codes[i] = static_cast<std::uint8_t>(nearest_code((values[i] - min) * inverse, 0.0f, highest_code));
  }
  return header;
}

BlockQ4_1 encode_q4_1_block(const float* x) noexcept {
  std::uint8_t codes[32];
  const Header header = encode_codes(x, 15, codes);
  BlockQ4_1 block{header.d, header.min, {}};
  pack_nibbles(codes, block.low);
  return block;
}

BlockQ5_1 encode_q5_1_block(const float* x) noexcept {
  std::uint8_t codes[32];
  const Header header = encode_codes(x, 31, codes);
  BlockQ5_1 block{header.d, header.min, {}, {}};
  pack_nibbles(codes, block.low);
  pack_fifth_bits(codes, block.high);
  return block;
}

} // namespace

void decode_q4_1(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ4_1, 32, decode_block>(blocks, n_blocks, out);
}
void decode_q5_1(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ5_1, 32, decode_block>(blocks, n_blocks, out);
}
void encode_q4_1(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<BlockQ4_1, 32, encode_q4_1_block>(x, n_blocks, blocks);
}
void encode_q5_1(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<BlockQ5_1, 32, encode_q5_1_block>(x, n_blocks, blocks);
}

} // namespace mote::quant

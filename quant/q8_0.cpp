// Q8_0: signed bytes with an f16 scale per 32 weights.
#include "quant/block.h"
#include "quant/formats.h"
#include "quant/quant.h"
#include "quant/search.h"

namespace mote::quant {
namespace {

struct BlockQ8_0 {
  std::uint16_t d;
  std::int8_t codes[32];
};
static_assert(sizeof(BlockQ8_0) == 34);

void decode_block(const BlockQ8_0& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(block.codes[i]);
}

BlockQ8_0 encode_block(const float* x) noexcept {
  constexpr CodeRange kCodes{-127, 127};
  float values[32];
  clean_copy<32>(x, values);
  const float scale = best_scale<32>(values, kCodes, {-4.0f, 4.0f, 1.0f});
  BlockQ8_0 block;
  block.d = f16_scale(scale < 0.0f ? -scale : scale); // its sign says nothing here; others expect none
  const float inverse = inverse_or_zero(f32_from_f16(block.d));
  for (int i = 0; i < 32; ++i) block.codes[i] = static_cast<std::int8_t>(nearest_code(values[i] * inverse, kCodes));
  return block;
}

} // namespace

void decode_q8_0(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ8_0, 32, decode_block>(blocks, n_blocks, out);
}
void encode_q8_0(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<BlockQ8_0, 32, encode_block>(x, n_blocks, blocks);
}

} // namespace mote::quant

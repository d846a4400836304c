// Q6_K: 6-bit codes around zero, a signed 8-bit scale per 16 weights, an f16 unit of the scales per 256.
#include "quant/block.h"
#include "quant/formats.h"
#include "quant/group_search.h"
#include "quant/quant.h"

namespace mote::quant {
namespace {

struct BlockQ6K {
  std::uint8_t low[128]; // byte 64h + 32k + l: weight 128h + 32k + l in its low nibble, 128h + 64 + 32k + l in its high one
  std::uint8_t high[64]; // byte 32h + l holds the upper bits of weights 128h + 32j + l in bits 2j, 2j+1
  std::int8_t scales[16];
  std::uint16_t d;
};
static_assert(sizeof(BlockQ6K) == 210);

void decode_block(const BlockQ6K& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  for (int group = 0; group < 16; ++group) {
    const int half = group / 8;
    const int quarter = group / 2 % 4;
    const float scale = d * static_cast<float>(block.scales[group]);
    const std::uint8_t* low = block.low + 64 * half + 32 * (quarter % 2) + 16 * (group % 2);
    const std::uint8_t* high = block.high + 32 * half + 16 * (group % 2);
    for (int i = 0; i < 16; ++i) {
      const int code = (low[i] >> 4 * (quarter / 2) & 15) + 16 * (high[i] >> 2 * quarter & 3) - 32;
      out[16 * group + i] = scale * static_cast<float>(code);
    }
  }
}

BlockQ6K encode_block(const float* x) noexcept {
  constexpr CodeRange kCodes{-32, 31};
  float values[256];
  clean_copy<256>(x, values);
  const GroupScales fit = best_group_scales(values, kCodes, {-4, 4, 1}, {-128, 127}, {-2, 2, 1});
  BlockQ6K block{};
  block.d = fit.d;
  for (int group = 0; group < 16; ++group) {
    block.scales[group] = static_cast<std::int8_t>(fit.scales[group]);
    const float inverse = inverse_or_zero(f32_from_f16(fit.d) * static_cast<float>(fit.scales[group]));
    const int half = group / 8;
    const int quarter = group / 2 % 4;
    std::uint8_t* low = block.low + 64 * half + 32 * (quarter % 2) + 16 * (group % 2);
    std::uint8_t* high = block.high + 32 * half + 16 * (group % 2);
    for (int i = 0; i < 16; ++i) {
      const int raw = static_cast<int>(nearest_code(values[16 * group + i] * inverse, kCodes)) + 32;
      low[i] = static_cast<std::uint8_t>(low[i] | (raw & 15) << 4 * (quarter / 2));
      high[i] = static_cast<std::uint8_t>(high[i] | (raw >> 4) << 2 * quarter);
    }
  }
  return block;
}

} // namespace

void decode_q6_k(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ6K, 256, decode_block>(blocks, n_blocks, out);
}
void encode_q6_k(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<BlockQ6K, 256, encode_block>(x, n_blocks, blocks);
}

} // namespace mote::quant

// Q3_K: 3-bit codes around zero, a signed 6-bit scale per 16 weights, an f16 unit of the scales per 256.
#include "quant/block.h"
#include "quant/formats.h"
#include "quant/group_search.h"
#include "quant/quant.h"

namespace mote::quant {
namespace {

struct BlockQ3K {
  std::uint8_t high[32];   // byte l, bit b: the third bit of weight 32b + l
  std::uint8_t low[64];    // byte 32h + l holds the lower bits of weights 128h + 32j + l in bits 2j, 2j+1
  std::uint8_t scales[12]; // of group g = 0..15: lower 4 bits in nibble g / 8 of byte g % 8, upper 2 in byte 8 + g % 4 from
                           // bit 2 (g / 4) on; 32 stands for 0
  std::uint16_t d;
};
static_assert(sizeof(BlockQ3K) == 110);

void decode_block(const BlockQ3K& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  for (int group = 0; group < 16; ++group) {
    const int scale_low = block.scales[group % 8] >> 4 * (group / 8) & 15;
    const int scale_high = block.scales[8 + group % 4] >> 2 * (group / 4) & 3;
    const float scale = d * static_cast<float>(scale_low + 16 * scale_high - 32);
    const std::uint8_t* low = block.low + 32 * (group / 8) + 16 * (group % 2);
    const std::uint8_t* high = block.high + 16 * (group % 2);
    const int low_shift = group / 2 % 4 * 2;
    const int high_shift = group / 2;
    for (int i = 0; i < 16; ++i) {
      const int code = (low[i] >> low_shift & 3) + 4 * (high[i] >> high_shift & 1) - 4;
      out[16 * group + i] = scale * static_cast<float>(code);
    }
  }
}

void set_scale(std::uint8_t* scales, int group, int scale) noexcept {
  const int raw = scale + 32;
  scales[group % 8] = static_cast<std::uint8_t>(scales[group % 8] | (raw & 15) << 4 * (group / 8));
  scales[8 + group % 4] = static_cast<std::uint8_t>(scales[8 + group % 4] | (raw >> 4) << 2 * (group / 4));
}

BlockQ3K encode_block(const float* x) noexcept {
  constexpr CodeRange kCodes{-4, 3};
  float values[256];
  clean_copy<256>(x, values);
  const GroupScales fit = best_group_scales(values, kCodes, {-0.5f, 1.25f, 0.25f}, {-32, 31}, {-1, 2, 0.25f});
  BlockQ3K block{};
  block.d = fit.d;
  for (int group = 0; group < 16; ++group) {
    set_scale(block.scales, group, fit.scales[group]);
    const float inverse = inverse_or_zero(f32_from_f16(fit.d) * static_cast<float>(fit.scales[group]));
    std::uint8_t* low = block.low + 32 * (group / 8) + 16 * (group % 2);
    std::uint8_t* high = block.high + 16 * (group % 2);
    for (int i = 0; i < 16; ++i) {
      const int raw = static_cast<int>(nearest_code(values[16 * group + i] * inverse, kCodes)) + 4;
      low[i] = static_cast<std::uint8_t>(low[i] | (raw & 3) << (group / 2 % 4 * 2));
      high[i] = static_cast<std::uint8_t>(high[i] | (raw >> 2) << (group / 2));
    }
  }
  return block;
}

} // namespace

void decode_q3_k(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ3K, 256, decode_block>(blocks, n_blocks, out);
}
void encode_q3_k(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<BlockQ3K, 256, encode_block>(x, n_blocks, blocks);
}

} // namespace mote::quant

// Q2_K: 2-bit codes, a 4-bit scale and a 4-bit minimum per 16 weights, an f16 unit for each of the two per 256.
#include "quant/block.h"
#include "quant/formats.h"
#include "quant/quant.h"

namespace mote::quant {
namespace {

struct BlockQ2K {
  std::uint8_t scales[16]; // of 16 weights: low nibble scale, high nibble minimum
  std::uint8_t codes[64];  // byte 32h + l holds weights 128h + 32j + l in bits 2j, 2j+1
  std::uint16_t d, d_min;
};
static_assert(sizeof(BlockQ2K) == 84);

void decode_block(const BlockQ2K& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  const float d_min = f32_from_f16(block.d_min);
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(block.scales[group] & 15);
    const float min = d_min * static_cast<float>(block.scales[group] >> 4);
    const std::uint8_t* bytes = block.codes + 32 * (group / 8) + 16 * (group % 2);
    const int shift = group / 2 % 4 * 2;
    for (int i = 0; i < 16; ++i) out[16 * group + i] = scale * static_cast<float>(bytes[i] >> shift & 3) - min;
  }
}

} // namespace

void decode_q2_k(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ2K, 256, decode_block>(blocks, n_blocks, out);
}

} // namespace mote::quant

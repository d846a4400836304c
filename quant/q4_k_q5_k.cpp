// Q4_K, Q5_K: 4- or 5-bit codes, a 6-bit scale and a 6-bit minimum per 32 weights, an f16 unit for each of the two per 256.
#include "quant/block.h"
#include "quant/formats.h"
#include "quant/quant.h"
#include "quant/group_search.h"

namespace mote::quant {
namespace {

// Eight scales and eight minima of 6 bits in 12 bytes: whole in the low bits of bytes 0..3 and 4..7 for 32-blocks 0..3; for
// blocks 4..7 the lower 4 bits in bytes 8..11 (scale low nibble, minimum high nibble), the upper 2 above those of block b - 4.
struct PackedScales {
  std::uint8_t bytes[12];

  int scale(int b) const noexcept {
    return b < 4 ? bytes[b] & 63 : (bytes[b + 4] & 15) + 16 * (bytes[b - 4] >> 6);
  }
  int min(int b) const noexcept {
    return b < 4 ? bytes[b + 4] & 63 : (bytes[b + 4] >> 4) + 16 * (bytes[b] >> 6);
  }
};

struct BlockQ4K {
  std::uint16_t d, d_min;
  PackedScales scales;
  std::uint8_t low[128]; // byte 32p + l holds weight 64p + l in its low nibble, weight 64p + 32 + l in its high nibble
};
static_assert(sizeof(BlockQ4K) == 144);

struct BlockQ5K {
  std::uint16_t d, d_min;
  PackedScales scales;
  std::uint8_t high[32]; // byte l, bit b: the fifth bit of weight 32b + l
  std::uint8_t low[128]; // as in Q4_K
};
static_assert(sizeof(BlockQ5K) == 176);

void decode_block(const BlockQ4K& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  const float d_min = f32_from_f16(block.d_min);
  for (int b = 0; b < 8; ++b) {
    const float scale = d * static_cast<float>(block.scales.scale(b));
    const float min = d_min * static_cast<float>(block.scales.min(b));
    const std::uint8_t* low = block.low + 32 * (b / 2);
    for (int i = 0; i < 32; ++i) out[32 * b + i] = scale * static_cast<float>(low[i] >> 4 * (b % 2) & 15) - min;
  }
}

void decode_block(const BlockQ5K& block, float* out) noexcept {
  const float d = f32_from_f16(block.d);
  const float d_min = f32_from_f16(block.d_min);
  for (int b = 0; b < 8; ++b) {
    const float scale = d * static_cast<float>(block.scales.scale(b));
    const float min = d_min * static_cast<float>(block.scales.min(b));
    const std::uint8_t* low = block.low + 32 * (b / 2);
    for (int i = 0; i < 32; ++i) {
      const int code = (low[i] >> 4 * (b % 2) & 15) + 16 * (block.high[i] >> b & 1);
      out[32 * b + i] = scale * static_cast<float>(code) - min;
    }
  }
}

PackedScales pack_scales(const AffineGroups& fit) noexcept {
  PackedScales packed{};
  for (int b = 0; b < 4; ++b) {
    packed.bytes[b] = static_cast<std::uint8_t>(fit.scales[b] | (fit.scales[b + 4] >> 4) << 6);
    packed.bytes[4 + b] = static_cast<std::uint8_t>(fit.mins[b] | (fit.mins[b + 4] >> 4) << 6);
    packed.bytes[8 + b] = static_cast<std::uint8_t>((fit.scales[b + 4] & 15) | (fit.mins[b + 4] & 15) << 4);
  }
  return packed;
}

// What the two formats share: the header, and codes[256].
AffineGroups encode_codes(const float* x, CodeRange range, std::uint8_t* codes) noexcept {
  float values[256];
  clean_copy<256>(x, values);
  const AffineGroups fit = best_affine_groups(values, range);
  for (int b = 0; b < 8; ++b) {
    const float inverse = inverse_or_zero(f32_from_f16(fit.d) * static_cast<float>(fit.scales[b]));
    const float min = -f32_from_f16(fit.d_min) * static_cast<float>(fit.mins[b]);
    for (int i = 32 * b; i < 32 * b + 32; ++i) codes[i] = static_cast<std::uint8_t>(nearest_code((values[i] - min) * inverse, range));
  }
  return fit;
}

void pack_low(const std::uint8_t* codes, std::uint8_t* low) noexcept {
  for (int i = 0; i < 128; ++i) {
    const int at = i / 32 * 64 + i % 32;
    low[i] = static_cast<std::uint8_t>((codes[at] & 15) | (codes[at + 32] & 15) << 4);
  }
}

BlockQ4K encode_q4_k_block(const float* x) noexcept {
  std::uint8_t codes[256];
  const AffineGroups fit = encode_codes(x, {0, 15}, codes);
  BlockQ4K block{fit.d, fit.d_min, pack_scales(fit), {}};
  pack_low(codes, block.low);
  return block;
}

BlockQ5K encode_q5_k_block(const float* x) noexcept {
  std::uint8_t codes[256];
  const AffineGroups fit = encode_codes(x, {0, 31}, codes);
  BlockQ5K block{fit.d, fit.d_min, pack_scales(fit), {}, {}};
  pack_low(codes, block.low);
  for (int i = 0; i < 256; ++i) block.high[i % 32] = static_cast<std::uint8_t>(block.high[i % 32] | (codes[i] >> 4) << (i / 32));
  return block;
}

} // namespace

void decode_q4_k(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ4K, 256, decode_block>(blocks, n_blocks, out);
}
void decode_q5_k(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<BlockQ5K, 256, decode_block>(blocks, n_blocks, out);
}
void encode_q4_k(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<BlockQ4K, 256, encode_q4_k_block>(x, n_blocks, blocks);
}
void encode_q5_k(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<BlockQ5K, 256, encode_q5_k_block>(x, n_blocks, blocks);
}

} // namespace mote::quant

// Q4_K, Q5_K: 4- or 5-bit codes, a 6-bit scale and a 6-bit minimum per 32 weights, an f16 unit for each of the two per 256.
#include "quant/block.h"
#include "quant/formats.h"
#include "quant/group_search.h"
#include "quant/quant.h"

namespace mote::quant {
namespace {

// The first 16 bytes of both formats. packed holds eight scales and eight minima of 6 bits: whole in the low bits of bytes
// 0..3 and 4..7 for 32-blocks 0..3; for blocks 4..7 the lower 4 bits in bytes 8..11 (scale in the low nibble, minimum in the
// high one), the upper 2 above those of block b - 4.
struct Header {
  std::uint16_t d, d_min;
  std::uint8_t packed[12];

  int scale(int b) const noexcept { return b < 4 ? packed[b] & 63 : (packed[b + 4] & 15) + 16 * (packed[b - 4] >> 6); }
  int min(int b) const noexcept { return b < 4 ? packed[b + 4] & 63 : (packed[b + 4] >> 4) + 16 * (packed[b] >> 6); }
  Affine affine(int b) const noexcept {
    return {f32_from_f16(d) * static_cast<float>(scale(b)), -(f32_from_f16(d_min) * static_cast<float>(min(b)))};
  }
};

struct BlockQ4K {
  Header header;
  std::uint8_t low[128]; // byte 32p + l holds weight 64p + l in its low nibble, weight 64p + 32 + l in its high nibble
};
static_assert(sizeof(BlockQ4K) == 144);

struct BlockQ5K {
  Header header;
  std::uint8_t high[32]; // byte l, bit b: the fifth bit of weight 32b + l
  std::uint8_t low[128]; // as in Q4_K
};
static_assert(sizeof(BlockQ5K) == 176);

void decode_block(const BlockQ4K& block, float* out) noexcept {
  for (int b = 0; b < 8; b += 2) {
    const Affine even = block.header.affine(b);
    const Affine odd = block.header.affine(b + 1);
    const std::uint8_t* low = block.low + 16 * b;
    for (int i = 0; i < 32; ++i) {
      out[32 * b + i] = even.scale * static_cast<float>(low[i] & 15) + even.min;
      out[32 * b + 32 + i] = odd.scale * static_cast<float>(low[i] >> 4) + odd.min;
    }
  }
}

void decode_block(const BlockQ5K& block, float* out) noexcept {
  for (int b = 0; b < 8; b += 2) {
    const Affine even = block.header.affine(b);
    const Affine odd = block.header.affine(b + 1);
    const std::uint8_t* low = block.low + 16 * b;
    for (int i = 0; i < 32; ++i) {
      const int high = block.high[i] >> b;
      out[32 * b + i] = even.scale * static_cast<float>((low[i] & 15) + 16 * (high & 1)) + even.min;
      out[32 * b + 32 + i] = odd.scale * static_cast<float>((low[i] >> 4) + 8 * (high & 2)) + odd.min;
    }
  }
}

Header make_header(const AffineGroups& fit) noexcept {
  Header header{fit.d, fit.d_min, {}};
  for (int b = 0; b < 4; ++b) {
    header.packed[b] = static_cast<std::uint8_t>(fit.scales[b] | (fit.scales[b + 4] >> 4) << 6);
    header.packed[4 + b] = static_cast<std::uint8_t>(fit.mins[b] | (fit.mins[b + 4] >> 4) << 6);
    header.packed[8 + b] = static_cast<std::uint8_t>((fit.scales[b + 4] & 15) | (fit.mins[b + 4] & 15) << 4);
  }
  return header;
}

Header encode_codes(const float* x, float highest_code, std::uint8_t* codes) noexcept {
  float values[256];
  clean_copy<256>(x, values);
  const Header header = make_header(best_affine_groups(values, highest_code));
  for (int b = 0; b < 8; ++b) {
    const Affine fit = header.affine(b);
    const float inverse = inverse_or_zero(fit.scale);
    for (int i = 32 * b; i < 32 * b + 32; ++i) {
      codes[i] = static_cast<std::uint8_t>(nearest_code((values[i] - fit.min) * inverse, 0.0f, highest_code));
    }
  }
  return header;
}

void pack_low(const std::uint8_t* codes, std::uint8_t* low) noexcept {
  for (int i = 0; i < 128; ++i) {
    const int even = i / 32 * 64 + i % 32;
    low[i] = static_cast<std::uint8_t>((codes[even] & 15) | (codes[even + 32] & 15) << 4);
  }
}

BlockQ4K encode_q4_k_block(const float* x) noexcept {
  std::uint8_t codes[256];
  BlockQ4K block{};
  block.header = encode_codes(x, 15.0f, codes);
  pack_low(codes, block.low);
  return block;
}

BlockQ5K encode_q5_k_block(const float* x) noexcept {
  std::uint8_t codes[256];
  BlockQ5K block{};
  block.header = encode_codes(x, 31.0f, codes);
  pack_low(codes, block.low);
  for (int i = 0; i < 256; ++i) {
    block.high[i % 32] = static_cast<std::uint8_t>(block.high[i % 32] | (codes[i] >> 4) << (i / 32));
  }
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

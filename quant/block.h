/// Reading and writing rows of blocks: a format describes one block as a struct and says what one block means.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mote::quant {

// The structs below are the bytes of a file, which are little endian.
static_assert(std::endian::native == std::endian::little, "block formats are read as they lie in a little endian file");

/// kDecodeBlock gives the kWeights values of one block. Blocks are copied out of the row, which may lie at any address.
template <class Block, int kWeights, void (*kDecodeBlock)(const Block&, float*) noexcept>
void decode_blocks(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  for (std::size_t i = 0; i < n_blocks; ++i) {
    Block block;
    std::memcpy(&block, blocks + i * sizeof(Block), sizeof(Block));
    kDecodeBlock(block, out + i * kWeights);
  }
}

/// kEncodeBlock makes one block of kWeights values.
template <class Block, int kWeights, Block (*kEncodeBlock)(const float*) noexcept>
void encode_blocks(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  for (std::size_t i = 0; i < n_blocks; ++i) {
    const Block block = kEncodeBlock(x + i * kWeights);
    std::memcpy(blocks + i * sizeof(Block), &block, sizeof(Block));
  }
}

/// 32 codes to the 16 bytes of Q4_0 and its kin: low nibbles weights 0..15, high nibbles 16..31.
inline void pack_nibbles(const std::uint8_t* codes, std::uint8_t* out) noexcept {
  for (int i = 0; i < 16; ++i) out[i] = static_cast<std::uint8_t>((codes[i] & 15) | (codes[16 + i] & 15) << 4);
}

/// The fifth bits of 32 codes to the 4 bytes of Q5_0 and Q5_1.
inline void pack_fifth_bits(const std::uint8_t* codes, std::uint8_t* out) noexcept {
  std::uint32_t bits = 0;
  for (int i = 0; i < 32; ++i) bits |= static_cast<std::uint32_t>(codes[i] >> 4 & 1) << i;
  std::memcpy(out, &bits, sizeof(bits));
}

} // namespace mote::quant

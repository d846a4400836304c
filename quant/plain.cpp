// F32, F16, BF16: one number a block.
#include <limits>

#include "quant/block.h"
#include "quant/formats.h"
#include "quant/quant.h"
#include "quant/search.h"

namespace mote::quant {
namespace {

constexpr float kLargestF32 = std::numeric_limits<float>::max();
constexpr float kLargestBf16 = 0x1.FEp127f;

void decode_one_f32(const float& block, float* out) noexcept { *out = block; }
void decode_one_f16(const std::uint16_t& block, float* out) noexcept { *out = f32_from_f16(block); }
void decode_one_bf16(const std::uint16_t& block, float* out) noexcept { *out = f32_from_bf16(block); }

float encode_one_f32(const float* x) noexcept { return finite_within(*x, kLargestF32); }
std::uint16_t encode_one_f16(const float* x) noexcept { return finite_f16(*x); }
std::uint16_t encode_one_bf16(const float* x) noexcept { return bf16_from_f32(finite_within(*x, kLargestBf16)); }

} // namespace

void decode_f32(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<float, 1, decode_one_f32>(blocks, n_blocks, out);
}
void decode_f16(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<std::uint16_t, 1, decode_one_f16>(blocks, n_blocks, out);
}
void decode_bf16(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept {
  decode_blocks<std::uint16_t, 1, decode_one_bf16>(blocks, n_blocks, out);
}
void encode_f32(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<float, 1, encode_one_f32>(x, n_blocks, blocks);
}
void encode_f16(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<std::uint16_t, 1, encode_one_f16>(x, n_blocks, blocks);
}
void encode_bf16(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept {
  encode_blocks<std::uint16_t, 1, encode_one_bf16>(x, n_blocks, blocks);
}

} // namespace mote::quant

/// What the bytes of a weight block mean. Scalar, the definition for everything else; knows no ISA and no model.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "mote/types.h"

namespace mote::quant {

/// Place of the type in all_types(): 0 .. kNumTypes - 1.
inline constexpr int kNumTypes = 16;
int type_index(TensorType type) noexcept;

/// blocks: row_bytes(type, out.size()) bytes -> out. out.size() is a multiple of the type's block_weights.
/// Exact: equal to the format's definition to the last bit (f16 subnormals included).
void dequantize(TensorType type, const std::byte* blocks, std::span<float> out) noexcept;

/// Types that quantize() can write.
bool can_quantize(TensorType type) noexcept;
/// x: one row, size a multiple of block_weights -> blocks, row_bytes(type, x.size()) bytes. can_quantize(type) must hold.
/// Values that are not finite count as zero, those beyond the type's range as its largest.
void quantize(TensorType type, std::span<const float> x, std::byte* blocks) noexcept;

float f32_from_f16(std::uint16_t h) noexcept;
std::uint16_t f16_from_f32(float x) noexcept; ///< round to nearest, ties to even; overflow to infinity
float f32_from_bf16(std::uint16_t h) noexcept;
std::uint16_t bf16_from_f32(float x) noexcept; ///< round to nearest, ties to even

} // namespace mote::quant

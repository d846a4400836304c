// Activations to int8. Plain loops, which the compiler vectorizes with the unit's flags: maxima of |x| are taken on the bit
// patterns and rounding is the addition of 1.5 * 2^23, so that no step depends on an order or on a library's rounding.
// Included by the ISA units only.
#pragma once
#include "kernels/layout.h"

namespace mote::kernels {
namespace {

inline uint32_t bits_of_float(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}
inline float float_of_bits(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}
/// To the nearest integer, ties to even, for |x| < 2^22; any x gives some number.
inline int32_t round_even(float x) { return static_cast<int32_t>(bits_of_float(x + 0x1.8p23f) - 0x4b400000u); }

/// Minus the sums of columns 0,1 and of columns 2,3 (mod 4) of 16 codes; both as 16-bit halves of one word, low first.
inline uint32_t neg_pair_sums(const int8_t* q) {
  uint64_t a, b;
  __builtin_memcpy(&a, q, 8);
  __builtin_memcpy(&b, q + 8, 8);
  constexpr uint64_t kSigns = 0x8080808080808080u, kBytes = 0x00ff00ff00ff00ffu;
  a ^= kSigns; // code + 128
  b ^= kSigns;
  const uint64_t sums = (a & kBytes) + (a >> 8 & kBytes) + (b & kBytes) + (b >> 8 & kBytes);
  const uint32_t pair = static_cast<uint32_t>(sums) + static_cast<uint32_t>(sums >> 32); // each half: sum + 8 * 128
  return ((1024 - (pair & 0xffff)) & 0xffff) | (1024 - (pair >> 16)) << 16;
}

/// x: [32 * kSub] -> the fields of the 32-blocks first .. first + kSub - 1 of a. The formula: mote::kernels::ActBlock.
template <int kSub> void quantize_subblocks(const float* x, int first, ActBlock& a) {
  constexpr uint32_t kInfinity = 0x7f800000, kNaN = 0x7fc00000;
  uint32_t max[kSub], finite[kSub]; // finite: all ones or zero
  float inverse[kSub];
  for (int b = 0; b < kSub; ++b) {
    uint32_t largest = 0;
    for (int i = 0; i < 32; ++i) {
      const uint32_t magnitude = bits_of_float(x[32 * b + i]) & 0x7fffffff;
      largest = magnitude > largest ? magnitude : largest;
    }
    max[b] = largest;
  }
  for (int b = 0; b < kSub; ++b) {
    finite[b] = max[b] < kInfinity ? 0xffffffffu : 0;
    const float m = float_of_bits(max[b] & finite[b]);
    const bool tiny = m < 0x1p-90f; // scale / 16 and the product with a weight's scale shall not become subnormal
    const float scale = tiny ? 0.0f : m * (1.0f / 127.0f);
    inverse[b] = tiny ? 0.0f : 127.0f / m;
    a.scale[first + b] = float_of_bits(finite[b] ? bits_of_float(scale) : kNaN);
    a.scale_16th[first + b] = float_of_bits(finite[b] ? bits_of_float(scale * 0.0625f) : kNaN);
  }
  int8_t* q = a.q + 32 * first;
  for (int b = 0; b < kSub; ++b)
    for (int i = 0; i < 32; ++i)
      q[32 * b + i] = static_cast<int8_t>(round_even(x[32 * b + i] * inverse[b]) & static_cast<int32_t>(finite[b]));
  uint32_t pairs[2 * kSub];
  for (int s = 0; s < 2 * kSub; ++s) pairs[s] = neg_pair_sums(q + 16 * s);
  for (int s = 0; s < 2 * kSub; ++s)
    for (int k = 0; k < 2; ++k) a.neg_sum16[2 * first + s][k] = static_cast<int16_t>(pairs[s] >> 16 * k);
  for (int b = first; b < first + kSub; ++b) {
    for (int k = 0; k < 2; ++k) a.neg_sum32[b][k] = static_cast<int16_t>(a.neg_sum16[2 * b][k] + a.neg_sum16[2 * b + 1][k]);
    const float sum = a.scale[b] * static_cast<float>(-(a.neg_sum32[b][0] + a.neg_sum32[b][1]));
    a.sum[b] = float_of_bits(finite[b - first] ? bits_of_float(sum) : kNaN);
  }
}

/// Columns first .. first + n - 1 of a row, both multiples of 32; x: [n], from column first on; blocks: of the whole row.
inline void quantize_row(const float* x, int first, int n, ActBlock* blocks) {
  for (int col = first, end = first + n; col < end;) {
    const bool whole = col % 256 == 0 && end - col >= 256;
    if (whole) quantize_subblocks<8>(x, 0, blocks[col / 256]);
    else quantize_subblocks<1>(x, col / 32 % 8, blocks[col / 256]);
    const int done = whole ? 256 : 32;
    col += done;
    x += done;
  }
}

} // namespace
} // namespace mote::kernels

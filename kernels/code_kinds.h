// What the bytes of a weight operand are; decides how a policy may accumulate their dot products.
#pragma once
#include <stdint.h>

namespace mote::kernels {
namespace {

enum class Code {
  kU4,        // 0..15 (16 times that where kHighNibbleInPlace)
  kU5,        // 0..31
  kU3Centred, // 0..7 standing for code - 4
  kU4Centred, // 0..15 standing for code - 8
  kU5Centred, // 0..31 standing for code - 16
  kU6Centred, // 0..63 standing for code - 32
  kE2M1,      // 0..24 standing for code - 12: twice the values of a 4-bit float
  kS8,        // -128..127; an ISA with unsigned operands adds 128 to them
};

/// What is subtracted from the code. Dot products of centred codes start at -offset * sum(activations).
constexpr int code_offset(Code code) {
  switch (code) {
    case Code::kU3Centred: return 4;
    case Code::kU4Centred: return 8;
    case Code::kU5Centred: return 16;
    case Code::kU6Centred: return 32;
    case Code::kE2M1: return 12;
    case Code::kS8: return 128;
    default: return 0;
  }
}

/// Groups of four columns that one dot product may hold when it is kept in int16 pair lanes (two columns each). Intermediate sums
/// of centred codes may wrap: only the sum at the end counts. With activations of at most 127:
///   15 * 127 * 2 * 8 = 30480; 31 * 127 * 2 * 4 = 31496; |code - 16| <= 16: 16 * 127 * 2 * 8 = 32512;
///   |code - 32| <= 32: 32 * 127 * 2 * 4 = 32512; the others are smaller. kS8 does not fit: 128 * 127 * 2 = 32512 for one group.
constexpr int int16_groups(Code code) {
  return code == Code::kS8 ? 1 : code == Code::kU5 || code == Code::kU6Centred ? 4 : 8;
}

// Sums of 32 columns are whole numbers that a float holds exactly, scales included. The largest: Q6_K, two scales of -128,
//   2 * 128 * (16 * 32 * 127) = 16646144 < 2^24; Q5_K 63 * (32 * 31 * 127) = 7936992; kS8 without a scale 32 * 128 * 127.
// Codes times 16 (kHighNibbleInPlace) give multiples of 16, with as many digits as without.

} // namespace
} // namespace mote::kernels

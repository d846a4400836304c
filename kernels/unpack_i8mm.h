// From panels to what smmla multiplies: one byte a code, 2 rows x 8 columns in a register, and the scales beside. Included by the
// unit of NEON with I8MM only.
#pragma once
#include "kernels/expanded.h"
#include "kernels/simd_neon_i8mm.h"

namespace mote::kernels {
namespace {

/// 256 columns of 16 rows. Numbers of a row stand twice, once for each of the two tokens that share a register.
struct alignas(64) Unpacked {
  int8_t codes[8][2][4][4][16]; // [32-block, half of the rows, eight columns, pair of rows]: columns of one row, then of the other
  int32_t scale[16][32];        // [block of 32 columns, or of 16, row twice]
  float min[8][32], d[8][32];   // [32-block, row twice]
  float d_of_all[32], d_min[32];
};

/// What Format::expand<NeonI8mm> writes to.
template <class Format> class Unpacker {
 public:
  using P = NeonI8mm;
  explicit Unpacker(Unpacked& to) : to_(to) {}

  INLINE void codes(int b, int k, P::Bytes even, P::Bytes odd) {
    constexpr Code kCode = Format::kExpansion.code;
    if constexpr (kCode != Code::kS8) {
      even = P::subtract<code_offset(kCode)>(even);
      odd = P::subtract<code_offset(kCode)>(odd);
    }
    _Pragma("GCC unroll 4") for (int i = 0; i < 4; ++i) { // rows 4i .. 4i + 3
      const uint32x4x2_t both = {{vreinterpretq_u32_u8(even.v[i]), vreinterpretq_u32_u8(odd.v[i])}};
      vst2q_u32(reinterpret_cast<uint32_t*>(to_.codes[b][i / 2][k][i % 2 * 2]), both);
    }
  }
  INLINE void scale(int i, P::Scales s) { store_twice(s, to_.scale[i]); }
  INLINE void d(int b, P::F32 d) { store_twice(d, to_.d[b]); }
  INLINE void d_of_all(P::F32 d) { store_twice(d, to_.d_of_all); }
  INLINE void min(int b, P::F32 m) { store_twice(m, to_.min[b]); }
  INLINE void d_min(P::F32 d) { store_twice(d, to_.d_min); }

 private:
  INLINE static void store_twice(P::I32 x, int32_t (&out)[32]) {
    _Pragma("GCC unroll 4") for (int i = 0; i < 4; ++i) vst2q_s32(out + 8 * i, (int32x4x2_t{{x.v[i], x.v[i]}}));
  }
  INLINE static void store_twice(P::F32 x, float (&out)[32]) {
    _Pragma("GCC unroll 4") for (int i = 0; i < 4; ++i) vst2q_f32(out + 8 * i, (float32x4x2_t{{x.v[i], x.v[i]}}));
  }
  Unpacked& to_;
};

} // namespace
} // namespace mote::kernels

// ISA policy: AVX2 with the byte dot product of AVX-VNNI, which client processors without AVX-512 have. What each primitive means:
// simd_scalar.h.
#pragma once
#include "kernels/simd_avx2.h"

namespace mote::kernels {
namespace {

struct AvxVnni : Avx2 {
  static constexpr const char* kName = "avx-vnni";

  static constexpr bool kHighNibbleInPlace = true; // vpdpbusd takes 16 * code as an unsigned byte: no shift
  template <Code> static constexpr int kDotGroups = 8;
  static constexpr bool kExpandsBytes = true; // once for all tokens: the sign bit, which the operands of Q8_0 do not have

  using Scales = F32; // an integer product of 32 bits takes two operations, one of floats one
  using Total = F32;
  using Avx2::to_f32;
  static F32 to_f32(F32 x) { return x; }

  static Bytes high_nibble(Bytes x) { return bits<0, 0xf0>(x); }
  template <Code kCode> static Bytes dot_operand(Bytes w) {
    if constexpr (kCode == Code::kS8) return each([&](int i) { return _mm256_xor_si256(w.v[i], _mm256_set1_epi8(-128)); });
    else return w;
  }
  template <Code kCode> static Bytes lookup(const int8_t (&table)[16], Bytes x) {
    const __m256i bytes = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
    const Bytes entries = dot_operand<kCode>(each([&](int) { return bytes; }));
    return each([&](int i) { return _mm256_shuffle_epi8(entries.v[i], x.v[i]); });
  }

  template <Code kCode> static I32 dot_start(const int16_t* neg_sum) {
    if constexpr (code_offset(kCode) == 0) {
      return each([](int) { return _mm256_setzero_si256(); });
    } else {
      const __m256i start = _mm256_madd_epi16(splat_word(neg_sum), _mm256_set1_epi16(code_offset(kCode)));
      return each([=](int) { return start; });
    }
  }
  template <Code, int kGroup> static void dot_add(I32& dot, Bytes w, Act a) {
    const __m256i x = splat_word(a + 4 * kGroup);
#ifdef __AVXVNNI__
    EACH(i) dot.v[i] = _mm256_dpbusd_avx_epi32(dot.v[i], w.v[i], x);
#else // AVX-512 has the same instruction under another encoding: how the tests run this policy on processors without AVX-VNNI
    EACH(i) dot.v[i] = _mm256_dpbusd_epi32(dot.v[i], w.v[i], x);
#endif
  }
  template <Code> static Total dot_sum(I32 dot) { return to_f32(dot); }
  template <Code> static Total dot_scaled(I32 dot, Scales s) { return mul(to_f32(dot), s); }
  template <Code> static Total dot_scaled_add(Total acc, I32 dot, Scales s) { return fma(to_f32(dot), s, acc); }
  template <int kColumn> static Scales column(Bytes plane) { return column_f32<kColumn>(plane); }
  template <int kColumn> static Scales signed_column(Bytes plane) { return signed_column_f32<kColumn>(plane); }
};

#undef EACH

} // namespace
} // namespace mote::kernels

// ISA policy: AVX-512 F/BW/VL/DQ + VNNI. One register holds 16 lanes. What each primitive means: simd_scalar.h.
#pragma once
#include <immintrin.h>

#include "kernels/code_kinds.h"

namespace mote::kernels {
namespace {

struct Avx512 {
  static constexpr const char* kName = "avx512";

  using F32 = __m512;
  using I32 = __m512i;

  // ---- Float lanes -------------------------------------------------------------------------------------------------------

  static __m256i load_32_bytes(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }

  static F32 zero() { return _mm512_setzero_ps(); }
  static F32 splat(const float& x) { return _mm512_set1_ps(x); }
  static F32 load(const float* p) { return _mm512_loadu_ps(p); }
  static F32 load_f16(const uint8_t* p) { return _mm512_cvtph_ps(load_32_bytes(p)); }
  static F32 load_bf16(const uint8_t* p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(load_32_bytes(p)), 16));
  }
  static F32 load_e8m0(const uint8_t* p) {
    const __m512i e = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m512 x = _mm512_castsi512_ps(_mm512_max_epi32(_mm512_slli_epi32(e, 23), _mm512_set1_epi32(0x00400000)));
    return _mm512_fmadd_ps(x, _mm512_setzero_ps(), x); // infinity, e = 255, becomes NaN
  }
  static void store(float* p, F32 x) { _mm512_storeu_ps(p, x); }
  static F32 add(F32 a, F32 b) { return _mm512_add_ps(a, b); }
  static F32 mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
  static F32 fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
  static F32 fnma(F32 a, F32 b, F32 c) { return _mm512_fnmadd_ps(a, b, c); }
  static F32 to_f32(I32 x) { return _mm512_cvtepi32_ps(x); }
  static F32 canonical_nan(F32 x) {
    const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000));
    return _mm512_mask_mov_ps(x, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan);
  }

  // ---- Float lanes of the vector operations ------------------------------------------------------------------------------

  static constexpr int kAttentionRows = 8;
  static constexpr int kAttentionSums = 24;
  static constexpr bool kAsksForCache = false;

  static __mmask16 first_mask(int n) { return static_cast<__mmask16>((1u << n) - 1); }
  static F32 load_first(const float* p, int n) { return _mm512_maskz_loadu_ps(first_mask(n), p); }
  static void store_first(float* p, F32 x, int n) { _mm512_mask_storeu_ps(p, first_mask(n), x); }
  static F32 first_of(F32 a, F32 b, int n) { return _mm512_mask_blend_ps(first_mask(n), b, a); }
  static F32 load_f16(const uint16_t* p) { return load_f16(reinterpret_cast<const uint8_t*>(p)); }
  static void store_f16(uint16_t* p, F32 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(canonical_nan(x), _MM_FROUND_TO_NEAREST_INT));
  }
  static F32 sub(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
  static F32 div(F32 a, F32 b) { return _mm512_div_ps(a, b); }
  static F32 sqrt(F32 x) { return _mm512_sqrt_ps(x); }
  static F32 max(F32 a, F32 b) { return _mm512_max_ps(a, b); }
  static F32 min(F32 a, F32 b) { return _mm512_min_ps(a, b); }
  static F32 mul_pow2(F32 x, F32 n) { return _mm512_scalef_ps(x, n); }

  // ---- Integer dot products ----------------------------------------------------------------------------------------------

  static constexpr int kFloatTileTokens = 8;
  static constexpr int kTileTokens = 4;         // of mul_mat; 8 spills in Q6_K and Q8_0 and gains 1% in Q4_K
  static constexpr int kExpandedTileTokens = 4; // of mul_mat_expanded
  static constexpr bool kExpandsBytes = true;   // once for all tokens: the sign bit, which the operands of Q8_0 do not have
  static constexpr int kCodesAtOnce = 4;        // of those that share a plane, with several tokens
  static constexpr bool kHighNibbleInPlace = true; // vpdpbusd takes 16 * code as an unsigned byte: no shift
  template <Code> static constexpr int kDotGroups = 8;

  using Bytes = __m512i;
  using Scales = I32;
  using Total = I32;
  using Act = const int8_t*; // vpdpbusd broadcasts its memory operand: activations need no register
  template <Code> using Dot = __m512i;

  static Bytes load_bytes(const uint8_t* p) { return _mm512_loadu_si512(p); }
  static Bytes spread_halves(const uint8_t* p) {
    const __m512i h = _mm512_cvtepu16_epi32(load_32_bytes(p));
    return _mm512_or_si512(h, _mm512_slli_epi32(h, 14));
  }
  template <int kMask> static Bytes mask() { return _mm512_set1_epi8(static_cast<char>(kMask)); }
  template <int kShift> static Bytes shift(Bytes x) { // pollutes across bytes: always masked afterwards
    if constexpr (kShift > 0) return _mm512_srli_epi16(x, kShift);
    else if constexpr (kShift < 0) return _mm512_slli_epi16(x, -kShift);
    else return x;
  }
  template <int kShift, int kMask> static Bytes bits(Bytes x) { return _mm512_and_si512(shift<kShift>(x), mask<kMask>()); }
  template <int kShift, int kMask> static Bytes or_bits(Bytes acc, Bytes x) {
    return _mm512_ternarylogic_epi32(acc, shift<kShift>(x), mask<kMask>(), 0xF8); // acc | (x & mask)
  }
  template <int kValue> static Bytes subtract(Bytes x) { return _mm512_sub_epi8(x, _mm512_set1_epi8(kValue)); }
  template <Code kCode> static Bytes lookup(const int8_t (&table)[16], Bytes x) {
    const __m512i entries = _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
    return _mm512_shuffle_epi8(dot_operand<kCode>(entries), x);
  }
  static Bytes high_nibble(Bytes x) { return _mm512_and_si512(x, mask<0xf0>()); }
  static Bytes top_code6(Bytes a, Bytes b, Bytes c) { return or_bits<6, 0x03>(or_bits<4, 0x0c>(bits<2, 0x30>(c), b), a); }
  static Bytes top_code5(Bytes a, Bytes b) { return or_bits<5, 0x03>(bits<3, 0x1c>(a), b); }
  static Bytes top_code5(Bytes a, Bytes b, Bytes c) { return or_bits<7, 0x01>(or_bits<6, 0x02>(bits<3, 0x1c>(a), b), c); }

  static Act load_act(const int8_t* p) { return p; }
  template <Code kCode> static Dot<kCode> dot_start(const int16_t* neg_sum) {
    if constexpr (code_offset(kCode) == 0) {
      return _mm512_setzero_si512();
    } else {
      using Word = int32_t __attribute__((may_alias));
      return _mm512_madd_epi16(_mm512_set1_epi32(*reinterpret_cast<const Word*>(neg_sum)), _mm512_set1_epi16(code_offset(kCode)));
    }
  }
  template <Code kCode> static Bytes dot_operand(Bytes w) {
    if constexpr (kCode == Code::kS8) return _mm512_xor_si512(w, mask<0x80>());
    else return w;
  }
  template <Code kCode, int kGroup> static void dot_add(Dot<kCode>& dot, Bytes w, Act a) {
    using Word = int32_t __attribute__((may_alias));
    // gcc 12 does not fold a broadcast into vpdpbusd, which would cost an instruction per 64 products
    asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(dot) : "v"(w), "m"(*reinterpret_cast<const Word*>(a + 4 * kGroup)));
  }
  template <Code kCode> static I32 dot_sum(Dot<kCode> dot) { return dot; }
  template <Code kCode> static I32 dot_scaled(Dot<kCode> dot, Scales s) { return _mm512_mullo_epi32(dot, s); }
  template <Code kCode> static I32 dot_scaled_add(I32 acc, Dot<kCode> dot, Scales s) {
    return _mm512_add_epi32(acc, _mm512_mullo_epi32(dot, s));
  }
  static F32 scaled_sums16(const int16_t (&neg_sum)[16][2], const float (&scale)[8]) {
    const __m512i sums = _mm512_madd_epi16(_mm512_loadu_si512(neg_sum), _mm512_set1_epi16(-1));
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_mul_ps(to_f32(sums), _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_loadu_ps(scale))));
  }
  template <int kColumn> static Scales column(Bytes plane) {
    if constexpr (kColumn == 3) return _mm512_srli_epi32(plane, 24);
    else return _mm512_and_si512(kColumn ? _mm512_srli_epi32(plane, 8 * kColumn) : plane, _mm512_set1_epi32(255));
  }
  template <int kColumn> static Scales signed_column(Bytes plane) {
    return _mm512_srai_epi32(kColumn < 3 ? _mm512_slli_epi32(plane, 24 - 8 * kColumn) : plane, 24);
  }
  template <int kColumn> static F32 column_f32(Bytes plane) { return to_f32(column<kColumn>(plane)); }
  template <int kColumn> static F32 signed_column_f32(Bytes plane) { return to_f32(signed_column<kColumn>(plane)); }
};

} // namespace
} // namespace mote::kernels

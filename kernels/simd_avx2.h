// ISA policy: AVX2 + FMA + F16C. 16 lanes are two registers, which share each broadcast activation. What each primitive means:
// simd_scalar.h.
#pragma once
#include <immintrin.h>

#include "kernels/code_kinds.h"

namespace mote::kernels {
namespace {

#define EACH(i) _Pragma("GCC unroll 4") for (int i = 0; i < kRegs; ++i)

struct Avx2 {
  static constexpr int kRegs = 2; // registers of one 16-lane value
  static constexpr const char* kName = "avx2";

  struct F32 { __m256 v[kRegs]; };
  struct I32 { __m256i v[kRegs]; };

  template <class Fn> static F32 each_f(Fn fn) { F32 r; EACH(i) r.v[i] = fn(i); return r; }
  template <class Fn> static I32 each(Fn fn) { I32 r; EACH(i) r.v[i] = fn(i); return r; }

  // ---- Float lanes -------------------------------------------------------------------------------------------------------

  static __m128i load_16_bytes(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

  static F32 zero() { return each_f([](int) { return _mm256_setzero_ps(); }); }
  static F32 splat(const float& x) { const __m256 s = _mm256_broadcast_ss(&x); return each_f([=](int) { return s; }); }
  static F32 load(const float* p) { return each_f([=](int i) { return _mm256_loadu_ps(p + 8 * i); }); }
  static F32 load_f16(const uint8_t* p) { return each_f([=](int i) { return _mm256_cvtph_ps(load_16_bytes(p + 16 * i)); }); }
  static F32 load_bf16(const uint8_t* p) {
    return each_f([=](int i) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_16_bytes(p + 16 * i)), 16)); });
  }
  static void store(float* p, F32 x) { EACH(i) _mm256_storeu_ps(p + 8 * i, x.v[i]); }
  static F32 add(F32 a, F32 b) { return each_f([&](int i) { return _mm256_add_ps(a.v[i], b.v[i]); }); }
  static F32 mul(F32 a, F32 b) { return each_f([&](int i) { return _mm256_mul_ps(a.v[i], b.v[i]); }); }
  static F32 fma(F32 a, F32 b, F32 c) { return each_f([&](int i) { return _mm256_fmadd_ps(a.v[i], b.v[i], c.v[i]); }); }
  static F32 fnma(F32 a, F32 b, F32 c) { return each_f([&](int i) { return _mm256_fnmadd_ps(a.v[i], b.v[i], c.v[i]); }); }
  static F32 to_f32(I32 x) { return each_f([&](int i) { return _mm256_cvtepi32_ps(x.v[i]); }); }
  static F32 canonical_nan(F32 x) {
    const __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
    return each_f([&](int i) { return _mm256_blendv_ps(x.v[i], nan, _mm256_cmp_ps(x.v[i], x.v[i], _CMP_UNORD_Q)); });
  }

  // ---- Integer dot products ----------------------------------------------------------------------------------------------
  // Dot products stay in 16-bit pair lanes as long as the code's range allows (code_kinds.h) and are widened by the
  // multiplication with the block scale, so that the widening costs nothing.

  static constexpr int kTileTokens = 4;  // of mul_mat
  static constexpr int kCodesAtOnce = 1; // of those that share a plane, with several tokens: 16 registers
  static constexpr bool kHighNibbleInPlace = false;
  template <Code kCode> static constexpr int kDotGroups = kCode == Code::kS8 ? 8 : int16_groups(kCode);

  using Bytes = I32;
  using Scales = I32; // the scale twice, as int16
  using Act = const int8_t*;
  template <Code> using Dot = I32;

  static Bytes load_bytes(const uint8_t* p) {
    return each([=](int i) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p) + i); });
  }
  template <int kShift, int kMask> static Bytes bits(Bytes x) {
    const __m256i mask = _mm256_set1_epi8(static_cast<char>(kMask));
    return each([&](int i) {
      if constexpr (kShift > 0) return _mm256_and_si256(_mm256_srli_epi16(x.v[i], kShift), mask);
      else if constexpr (kShift < 0) return _mm256_and_si256(_mm256_slli_epi16(x.v[i], -kShift), mask);
      else return _mm256_and_si256(x.v[i], mask);
    });
  }
  template <int kShift, int kMask> static Bytes or_bits(Bytes acc, Bytes x) {
    const Bytes y = bits<kShift, kMask>(x);
    return each([&](int i) { return _mm256_or_si256(acc.v[i], y.v[i]); });
  }
  static Bytes high_nibble(Bytes x) { return bits<4, 0x0f>(x); }
  static Bytes top_code6(Bytes a, Bytes b, Bytes c) { return or_bits<6, 0x03>(or_bits<4, 0x0c>(bits<2, 0x30>(c), b), a); }
  static Bytes top_code5(Bytes a, Bytes b) { return or_bits<5, 0x03>(bits<3, 0x1c>(a), b); }
  static Bytes top_code5(Bytes a, Bytes b, Bytes c) { return or_bits<7, 0x01>(or_bits<6, 0x02>(bits<3, 0x1c>(a), b), c); }

  static __m256i splat_word(const void* p) {
    using Word = int32_t __attribute__((may_alias));
    return _mm256_set1_epi32(*static_cast<const Word*>(p));
  }
  static Act load_act(const int8_t* p) { return p; }
  template <Code kCode> static Dot<kCode> dot_start(const int16_t* neg_sum) {
    if constexpr (kCode == Code::kS8 || code_offset(kCode) == 0) {
      return each([](int) { return _mm256_setzero_si256(); });
    } else {
      const __m256i s = _mm256_mullo_epi16(splat_word(neg_sum), _mm256_set1_epi16(code_offset(kCode)));
      return each([=](int) { return s; });
    }
  }
  template <Code> static Bytes dot_operand(Bytes w) { return w; }
  template <Code kCode, int kGroup> static void dot_add(Dot<kCode>& dot, Bytes w, Act a) {
    const __m256i x = splat_word(a + 4 * kGroup);
    EACH(i) {
      if constexpr (kCode == Code::kS8) { // |w| * (sign(w) x): 2 * 128 * 127 fits 16 bits, one group at a time
        const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w.v[i]), _mm256_sign_epi8(x, w.v[i]));
        dot.v[i] = _mm256_add_epi32(dot.v[i], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
      } else {
        dot.v[i] = _mm256_add_epi16(dot.v[i], _mm256_maddubs_epi16(w.v[i], x));
      }
    }
  }
  template <Code kCode> static I32 dot_sum(Dot<kCode> dot) {
    if constexpr (kCode == Code::kS8) return dot;
    else return each([&](int i) { return _mm256_madd_epi16(dot.v[i], _mm256_set1_epi16(1)); });
  }
  template <Code kCode> static I32 dot_scaled(Dot<kCode> dot, Scales s) {
    static_assert(kCode != Code::kS8);
    return each([&](int i) { return _mm256_madd_epi16(dot.v[i], s.v[i]); });
  }
  template <Code kCode> static I32 dot_scaled_add(I32 acc, Dot<kCode> dot, Scales s) {
    static_assert(kCode != Code::kS8);
    return each([&](int i) { return _mm256_add_epi32(acc.v[i], _mm256_madd_epi16(dot.v[i], s.v[i])); });
  }
  template <int kShift> static I32 shl_add(I32 a, I32 b) {
    return each([&](int i) { return _mm256_add_epi32(a.v[i], _mm256_slli_epi32(b.v[i], kShift)); });
  }

  /// Byte kColumn of every lane into the low (kSigned: high) bytes of both 16-bit halves; the other bytes become 0.
  template <int kColumn, bool kSigned> static __m256i pick(__m256i x) {
    constexpr uint32_t kFirst = kSigned ? kColumn << 8 | 0x80 : 0x8000 | kColumn, kNextRow = kSigned ? 0x0400 : 0x0004;
    constexpr uint32_t kTwice = kFirst * 0x10001, kStep = kNextRow * 0x10001;
    const __m128i pattern = _mm_setr_epi32(static_cast<int>(kTwice), static_cast<int>(kTwice + kStep),
                                           static_cast<int>(kTwice + 2 * kStep), static_cast<int>(kTwice + 3 * kStep));
    return _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(pattern));
  }
  template <int kColumn> static Scales column(Bytes plane) {
    return each([&](int i) { return pick<kColumn, false>(plane.v[i]); });
  }
  template <int kColumn> static Scales signed_column(Bytes plane) {
    return each([&](int i) { return _mm256_srai_epi16(pick<kColumn, true>(plane.v[i]), 8); });
  }
};

#undef EACH

} // namespace
} // namespace mote::kernels

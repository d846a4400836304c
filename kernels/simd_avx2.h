// ISA policy: AVX2 + FMA + F16C. 16 lanes are two registers, which share each broadcast activation. What each primitive means:
// simd_scalar.h.
#pragma once
#include <immintrin.h>

#include "kernels/code_kinds.h"
#include "kernels/prefetch.h"

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
    // Rows 0-3, 8-11, 4-7, 12-15: unpacking then leaves them in order.
    const __m256i rows = _mm256_permute4x64_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), 0xd8);
    const __m256i zero = _mm256_setzero_si256();
    return {{_mm256_castsi256_ps(_mm256_unpacklo_epi16(zero, rows)), _mm256_castsi256_ps(_mm256_unpackhi_epi16(zero, rows))}};
  }
  static F32 load_e8m0(const uint8_t* p) {
    return each_f([=](int i) {
      const __m256i e = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8 * i)));
      const __m256 x = _mm256_castsi256_ps(_mm256_max_epi32(_mm256_slli_epi32(e, 23), _mm256_set1_epi32(0x00400000)));
      return _mm256_fmadd_ps(x, _mm256_setzero_ps(), x); // infinity, e = 255, becomes NaN
    });
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

  // ---- Float lanes of the vector operations ------------------------------------------------------------------------------

  static constexpr int kAttentionRows = 6;
  static constexpr int kAttentionSums = 5;
  static constexpr bool kAsksForCache = true;

  static __m256i first_mask(int i, int n) { // of register i
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n - 8 * i), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static F32 load_first(const float* p, int n) {
    return each_f([=](int i) { return _mm256_maskload_ps(p + 8 * i, first_mask(i, n)); });
  }
  static void store_first(float* p, F32 x, int n) { EACH(i) _mm256_maskstore_ps(p + 8 * i, first_mask(i, n), x.v[i]); }
  static F32 first_of(F32 a, F32 b, int n) {
    return each_f([&](int i) { return _mm256_blendv_ps(b.v[i], a.v[i], _mm256_castsi256_ps(first_mask(i, n))); });
  }
  static F32 load_f16(const uint16_t* p) { return load_f16(reinterpret_cast<const uint8_t*>(p)); }
  static void store_f16(uint16_t* p, F32 x) {
    const F32 y = canonical_nan(x);
    EACH(i) _mm_storeu_si128(reinterpret_cast<__m128i*>(p) + i, _mm256_cvtps_ph(y.v[i], _MM_FROUND_TO_NEAREST_INT));
  }
  static F32 sub(F32 a, F32 b) { return each_f([&](int i) { return _mm256_sub_ps(a.v[i], b.v[i]); }); }
  static F32 div(F32 a, F32 b) { return each_f([&](int i) { return _mm256_div_ps(a.v[i], b.v[i]); }); }
  static F32 sqrt(F32 x) { return each_f([&](int i) { return _mm256_sqrt_ps(x.v[i]); }); }
  static F32 max(F32 a, F32 b) { return each_f([&](int i) { return _mm256_max_ps(a.v[i], b.v[i]); }); }
  static F32 min(F32 a, F32 b) { return each_f([&](int i) { return _mm256_min_ps(a.v[i], b.v[i]); }); }
  static __m256 pow2(__m256i e) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23));
  }
  static F32 mul_pow2(F32 x, F32 n) {
    return each_f([&](int i) {
      const __m256i e = _mm256_cvtps_epi32(n.v[i]), half = _mm256_srai_epi32(e, 1);
      return _mm256_mul_ps(_mm256_mul_ps(x.v[i], pow2(half)), pow2(_mm256_sub_epi32(e, half)));
    });
  }

  // ---- Integer dot products ----------------------------------------------------------------------------------------------
  // Dot products stay in 16-bit pair lanes as long as the code's range allows (code_kinds.h) and are widened by the
  // multiplication with the block scale, so that the widening costs nothing.

  static constexpr int kTileTokens = 4;         // of mul_mat
  static constexpr int kExpandedTileTokens = 4; // of mul_mat_expanded
  static constexpr bool kExpandsBytes = false;  // its tile is no larger: copying Q8_0 costs 7%
  static constexpr int kFloatTileTokens = 4;
  static constexpr int kCodesAtOnce = 1; // of those that share a plane, with several tokens: 16 registers
  static constexpr bool kHighNibbleInPlace = false;
  template <Code kCode> static constexpr int kDotGroups = kCode == Code::kS8 ? 8 : int16_groups(kCode);

  using Bytes = I32;
  using Scales = I32; // the scale twice, as int16
  using Total = I32;
  using Act = const int8_t*;
  template <Code> using Dot = I32;

  static Bytes load_bytes(const uint8_t* p) {
    return each([=](int i) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p) + i); });
  }
  static Bytes load_bytes(const LinesAhead& line) {
    prefetch_here(line.streams[0]);
    return load_bytes(line.p);
  }
  static Bytes spread_halves(const uint8_t* p) {
    return each([=](int i) {
      const __m256i h = _mm256_cvtepu16_epi32(load_16_bytes(p + 16 * i));
      return _mm256_or_si256(h, _mm256_slli_epi32(h, 14));
    });
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
  template <int kValue> static Bytes subtract(Bytes x) {
    return each([&](int i) { return _mm256_sub_epi8(x.v[i], _mm256_set1_epi8(static_cast<char>(kValue))); });
  }
  template <Code> static Bytes lookup(const int8_t (&table)[16], Bytes x) {
    const __m256i entries = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
    return each([&](int i) { return _mm256_shuffle_epi8(entries, x.v[i]); });
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
  static F32 scaled_sums16(const int16_t (&neg_sum)[16][2], const float (&scale)[8]) {
    const __m256 scales = _mm256_loadu_ps(scale);
    return each_f([&](int i) {
      const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(neg_sum[8 * i]));
      const __m256i twice = _mm256_add_epi32(_mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3), _mm256_set1_epi32(4 * i));
      const __m256 sums = _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, _mm256_set1_epi16(-1)));
      return _mm256_mul_ps(sums, _mm256_permutevar8x32_ps(scales, twice));
    });
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
  template <int kColumn> static I32 column_i32(Bytes plane) {
    constexpr uint32_t kFirst = 0x80808000 | kColumn; // byte kColumn of a lane, three zeros
    const __m128i pattern = _mm_setr_epi32(static_cast<int>(kFirst), static_cast<int>(kFirst + 4), static_cast<int>(kFirst + 8),
                                           static_cast<int>(kFirst + 12));
    return each([&](int i) {
      if constexpr (kColumn == 3) return _mm256_srli_epi32(plane.v[i], 24);
      else return _mm256_shuffle_epi8(plane.v[i], _mm256_broadcastsi128_si256(pattern));
    });
  }
  template <int kColumn> static I32 signed_column_i32(Bytes plane) {
    return each([&](int i) {
      return _mm256_srai_epi32(kColumn < 3 ? _mm256_slli_epi32(plane.v[i], 24 - 8 * kColumn) : plane.v[i], 24);
    });
  }
  template <int kColumn> static F32 column_f32(Bytes plane) { return to_f32(column_i32<kColumn>(plane)); }
  template <int kColumn> static F32 signed_column_f32(Bytes plane) { return to_f32(signed_column_i32<kColumn>(plane)); }
};

} // namespace
} // namespace mote::kernels

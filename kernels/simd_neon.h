// ISA policy: NEON as every 64-bit ARM processor has it. 16 lanes are four registers. What each primitive means: simd_scalar.h.
#pragma once
#include <arm_neon.h>

#include "kernels/code_kinds.h"

namespace mote::kernels {
namespace {

#define EACH(i) _Pragma("GCC unroll 4") for (int i = 0; i < kRegs; ++i)
/// In a unit of this size gcc calls functions of four registers instead of inlining them, and spills all others around the call.
#define PRIMITIVE __attribute__((always_inline)) static inline

struct Neon {
  static constexpr int kRegs = 4; // registers of one 16-lane value
  static constexpr const char* kName = "neon";

  struct F32 { float32x4_t v[kRegs]; };
  struct I32 { int32x4_t v[kRegs]; };

  template <class R, class Fn> PRIMITIVE R each(Fn fn) { R r; EACH(i) r.v[i] = fn(i); return r; }

  // ---- Float lanes -------------------------------------------------------------------------------------------------------

  PRIMITIVE float32x4_t floats_of_bits(uint32x4_t x) { return vreinterpretq_f32_u32(x); }
  PRIMITIVE uint16x4_t load_4_halves(const uint8_t* p) { return vreinterpret_u16_u8(vld1_u8(p)); }
  PRIMITIVE uint32x4_t load_4_bytes(const uint8_t* p) { // each in its own lane
    uint32_t word;
    __builtin_memcpy(&word, p, 4);
    return vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(word))));
  }

  PRIMITIVE F32 zero() { return each<F32>([](int) { return vdupq_n_f32(0); }); }
  PRIMITIVE F32 splat(const float& x) { const float32x4_t s = vld1q_dup_f32(&x); return each<F32>([=](int) { return s; }); }
  PRIMITIVE F32 load(const float* p) { return each<F32>([=](int i) { return vld1q_f32(p + 4 * i); }); }
  PRIMITIVE F32 load_f16(const uint8_t* p) {
    const float16x8_t low = vreinterpretq_f16_u8(vld1q_u8(p)), high = vreinterpretq_f16_u8(vld1q_u8(p + 16));
    return {{vcvt_f32_f16(vget_low_f16(low)), vcvt_high_f32_f16(low), vcvt_f32_f16(vget_low_f16(high)), vcvt_high_f32_f16(high)}};
  }
  PRIMITIVE F32 load_bf16(const uint8_t* p) {
    return each<F32>([=](int i) { return floats_of_bits(vshll_n_u16(load_4_halves(p + 8 * i), 16)); });
  }
  PRIMITIVE F32 load_e8m0(const uint8_t* p) {
    return each<F32>([=](int i) {
      const uint32x4_t bits = vmaxq_u32(vshlq_n_u32(load_4_bytes(p + 4 * i), 23), vdupq_n_u32(0x00400000));
      const float32x4_t x = floats_of_bits(bits);
      return vfmaq_f32(x, x, vdupq_n_f32(0)); // infinity, e = 255, becomes NaN
    });
  }
  PRIMITIVE void store(float* p, F32 x) { EACH(i) vst1q_f32(p + 4 * i, x.v[i]); }
  PRIMITIVE F32 add(F32 a, F32 b) { return each<F32>([&](int i) { return vaddq_f32(a.v[i], b.v[i]); }); }
  PRIMITIVE F32 mul(F32 a, F32 b) { return each<F32>([&](int i) { return vmulq_f32(a.v[i], b.v[i]); }); }
  PRIMITIVE F32 fma(F32 a, F32 b, F32 c) { return each<F32>([&](int i) { return vfmaq_f32(c.v[i], a.v[i], b.v[i]); }); }
  PRIMITIVE F32 fnma(F32 a, F32 b, F32 c) { return each<F32>([&](int i) { return vfmsq_f32(c.v[i], a.v[i], b.v[i]); }); }
  PRIMITIVE F32 to_f32(I32 x) { return each<F32>([&](int i) { return vcvtq_f32_s32(x.v[i]); }); }
  PRIMITIVE F32 canonical_nan(F32 x) {
    const float32x4_t nan = floats_of_bits(vdupq_n_u32(0x7fc00000));
    return each<F32>([&](int i) { return vbslq_f32(vceqq_f32(x.v[i], x.v[i]), x.v[i], nan); });
  }

  // ---- Float lanes of the vector operations ------------------------------------------------------------------------------

  static constexpr int kAttentionRows = 6;
  static constexpr int kAttentionSums = 6;
  static constexpr bool kAsksForCache = false;

  PRIMITIVE F32 load_first(const float* p, int n) {
    float lanes[16] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  PRIMITIVE void store_first(float* p, F32 x, int n) {
    float lanes[16];
    store(lanes, x);
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
  }
  PRIMITIVE F32 first_of(F32 a, F32 b, int n) {
    const int32x4_t index = vcombine_s32(vcreate_s32(0x1'00000000), vcreate_s32(0x3'00000002));
    return each<F32>([&](int i) { return vbslq_f32(vcltq_s32(index, vdupq_n_s32(n - 4 * i)), a.v[i], b.v[i]); });
  }
  PRIMITIVE F32 load_f16(const uint16_t* p) { return load_f16(reinterpret_cast<const uint8_t*>(p)); }
  PRIMITIVE void store_f16(uint16_t* p, F32 x) {
    const F32 y = canonical_nan(x);
    EACH(i) vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(y.v[i])));
  }
  PRIMITIVE F32 sub(F32 a, F32 b) { return each<F32>([&](int i) { return vsubq_f32(a.v[i], b.v[i]); }); }
  PRIMITIVE F32 div(F32 a, F32 b) { return each<F32>([&](int i) { return vdivq_f32(a.v[i], b.v[i]); }); }
  PRIMITIVE F32 sqrt(F32 x) { return each<F32>([&](int i) { return vsqrtq_f32(x.v[i]); }); }
  // not fmax and fmin, which treat NaN otherwise
  PRIMITIVE F32 max(F32 a, F32 b) {
    return each<F32>([&](int i) { return vbslq_f32(vcgtq_f32(a.v[i], b.v[i]), a.v[i], b.v[i]); });
  }
  PRIMITIVE F32 min(F32 a, F32 b) {
    return each<F32>([&](int i) { return vbslq_f32(vcltq_f32(a.v[i], b.v[i]), a.v[i], b.v[i]); });
  }
  PRIMITIVE float32x4_t pow2(int32x4_t e) { return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(e, vdupq_n_s32(127)), 23)); }
  PRIMITIVE F32 mul_pow2(F32 x, F32 n) {
    return each<F32>([&](int i) {
      const int32x4_t e = vcvtq_s32_f32(n.v[i]), half = vshrq_n_s32(e, 1);
      return vmulq_f32(vmulq_f32(x.v[i], pow2(half)), pow2(vsubq_s32(e, half)));
    });
  }

  // ---- Integer dot products ----------------------------------------------------------------------------------------------
  // Without dot product instructions: 16-bit lanes, one of each column of a group, as long as the code's range allows. Bounds are
  // those of pairs of columns (code_kinds.h), because pairs are added in 16 bits too.

  static constexpr int kTileTokens = 2;  // of mul_mat
  static constexpr int kFloatTileTokens = 4;
  static constexpr int kCodesAtOnce = 1; // of those that share a plane, with several tokens
  static constexpr bool kHighNibbleInPlace = false;
  template <Code kCode> static constexpr int kDotGroups = kCode == Code::kS8 ? 8 : int16_groups(kCode);

  struct Bytes { uint8x16_t v[kRegs]; };
  using Scales = I32;
  using Total = I32;
  using Act = int8x16_t;
  struct Halves { int16x8_t v[2 * kRegs]; }; // of rows 2i, 2i + 1: columns 0 .. 3 each
  template <bool kWide> struct DotType { using Type = Halves; };
  template <Code kCode> using Dot = typename DotType<kCode == Code::kS8>::Type;

  PRIMITIVE Bytes load_bytes(const uint8_t* p) {
    const uint8x16x4_t plane = vld1q_u8_x4(p);
    return each<Bytes>([&](int i) { return plane.val[i]; });
  }
  PRIMITIVE Bytes spread_halves(const uint8_t* p) {
    return each<Bytes>([=](int i) {
      const uint32x4_t h = vmovl_u16(load_4_halves(p + 8 * i));
      return vreinterpretq_u8_u32(vorrq_u32(h, vshlq_n_u32(h, 14)));
    });
  }
  template <int kShift, int kMask> PRIMITIVE Bytes bits(Bytes x) {
    return each<Bytes>([&](int i) {
      uint8x16_t y = x.v[i];
      if constexpr (kShift > 0) y = vshrq_n_u8(y, kShift);
      if constexpr (kShift < 0) y = vshlq_n_u8(y, -kShift);
      constexpr int kLeft = kShift > 0 ? 0xff >> (kShift & 7) : (0xff << (-kShift & 7)) & 0xff;
      if constexpr ((kLeft & ~kMask) == 0) return y;
      else return vandq_u8(y, vdupq_n_u8(kMask));
    });
  }
  template <int kShift, int kMask> PRIMITIVE Bytes or_bits(Bytes acc, Bytes x) { // acc has zeros there
    const Bytes y = bits<kShift, 0xff>(x);
    return each<Bytes>([&](int i) { return vbslq_u8(vdupq_n_u8(kMask), y.v[i], acc.v[i]); });
  }
  template <int kValue> PRIMITIVE Bytes subtract(Bytes x) {
    return each<Bytes>([&](int i) { return vsubq_u8(x.v[i], vdupq_n_u8(kValue)); });
  }
  template <Code> PRIMITIVE Bytes lookup(const int8_t (&table)[16], Bytes x) {
    const uint8x16_t entries = vreinterpretq_u8_s8(vld1q_s8(table));
    return each<Bytes>([&](int i) { return vqtbl1q_u8(entries, x.v[i]); });
  }
  PRIMITIVE Bytes high_nibble(Bytes x) { return bits<4, 0x0f>(x); }
  // sri and sli shift and insert beside the bits already there: one instruction for each part of a split code
  PRIMITIVE Bytes top_code6(Bytes a, Bytes b, Bytes c) {
    return each<Bytes>([&](int i) { return vsriq_n_u8(vsriq_n_u8(vshrq_n_u8(c.v[i], 2), b.v[i], 4), a.v[i], 6); });
  }
  PRIMITIVE Bytes top_code5(Bytes a, Bytes b) {
    return each<Bytes>([&](int i) { return vsliq_n_u8(vshrq_n_u8(b.v[i], 5), vshrq_n_u8(a.v[i], 5), 2); });
  }
  PRIMITIVE Bytes top_code5(Bytes a, Bytes b, Bytes c) {
    return each<Bytes>([&](int i) { return vsriq_n_u8(vsriq_n_u8(vshrq_n_u8(a.v[i], 3), b.v[i], 6), c.v[i], 7); });
  }

  PRIMITIVE Act load_act(const int8_t* p) { return vld1q_s8(p); }
  template <Code kCode> PRIMITIVE Dot<kCode> dot_start(const int16_t* neg_sum) {
    if constexpr (kCode == Code::kS8 || code_offset(kCode) == 0) {
      return Dot<kCode>{};
    } else { // the sums of columns 0,1 in column 0, those of columns 2,3 in column 2
      uint32_t sums;
      __builtin_memcpy(&sums, neg_sum, 4);
      const int16x4_t start = vmul_n_s16(vreinterpret_s16_u32(vdup_n_u32(sums)), code_offset(kCode));
      const int16x8_t columns = vreinterpretq_s16_u32(vmovl_u16(vreinterpret_u16_s16(start)));
      Halves dot;
      for (int16x8_t& rows : dot.v) rows = columns;
      return dot;
    }
  }
  template <Code> PRIMITIVE Bytes dot_operand(Bytes w) { return w; }
  template <Code kCode, int kGroup> PRIMITIVE void dot_add(Dot<kCode>& dot, Bytes w, Act a) {
    const int8x16_t x = vreinterpretq_s8_s32(vdupq_laneq_s32(vreinterpretq_s32_s8(a), kGroup));
    EACH(i) {
      const int8x16_t codes = vreinterpretq_s8_u8(w.v[i]);
      if constexpr (kCode == Code::kS8) { // 2 * 128 * 127 fits 16 bits, one group at a time
        const int16x8_t low = vmull_s8(vget_low_s8(codes), vget_low_s8(x)), high = vmull_high_s8(codes, x);
        dot.v[i] = vpadalq_s16(dot.v[i], vpaddq_s16(low, high));
      } else {
        dot.v[2 * i] = vmlal_s8(dot.v[2 * i], vget_low_s8(codes), vget_low_s8(x));
        dot.v[2 * i + 1] = vmlal_high_s8(dot.v[2 * i + 1], codes, x);
      }
    }
  }
  template <Code kCode> PRIMITIVE I32 dot_sum(Dot<kCode> dot) {
    if constexpr (kCode == Code::kS8) return dot;
    else return each<I32>([&](int i) { return vpaddlq_s16(vpaddq_s16(dot.v[2 * i], dot.v[2 * i + 1])); });
  }
  template <Code kCode> PRIMITIVE I32 dot_scaled(Dot<kCode> dot, Scales s) {
    const I32 sum = dot_sum<kCode>(dot);
    return each<I32>([&](int i) { return vmulq_s32(sum.v[i], s.v[i]); });
  }
  template <Code kCode> PRIMITIVE I32 dot_scaled_add(I32 acc, Dot<kCode> dot, Scales s) {
    const I32 sum = dot_sum<kCode>(dot);
    return each<I32>([&](int i) { return vmlaq_s32(acc.v[i], sum.v[i], s.v[i]); });
  }
  PRIMITIVE F32 scaled_sums16(const int16_t (&neg_sum)[16][2], const float (&scale)[8]) {
    return each<F32>([&](int i) {
      const float32x4_t sums = vcvtq_f32_s32(vnegq_s32(vpaddlq_s16(vld1q_s16(neg_sum[4 * i]))));
      return vmulq_f32(sums, vcombine_f32(vld1_dup_f32(scale + 2 * i), vld1_dup_f32(scale + 2 * i + 1)));
    });
  }

  template <int kColumn> PRIMITIVE Scales column(Bytes plane) {
    constexpr uint32_t kFirst = 0xffffff00 | kColumn; // byte kColumn of a lane, three zeros
    const uint32x4_t pattern = {kFirst, kFirst + 4, kFirst + 8, kFirst + 12};
    return each<I32>([&](int i) {
      const uint32x4_t x = vreinterpretq_u32_u8(plane.v[i]);
      if constexpr (kColumn == 0) return vreinterpretq_s32_u32(vandq_u32(x, vdupq_n_u32(255)));
      else if constexpr (kColumn == 3) return vreinterpretq_s32_u32(vshrq_n_u32(x, 24));
      else return vreinterpretq_s32_u8(vqtbl1q_u8(plane.v[i], vreinterpretq_u8_u32(pattern)));
    });
  }
  template <int kColumn> PRIMITIVE Scales signed_column(Bytes plane) {
    return each<I32>([&](int i) {
      int32x4_t x = vreinterpretq_s32_u8(plane.v[i]);
      if constexpr (kColumn < 3) x = vshlq_n_s32(x, 24 - 8 * kColumn);
      return vshrq_n_s32(x, 24);
    });
  }
  template <int kColumn> PRIMITIVE F32 column_f32(Bytes plane) { return to_f32(column<kColumn>(plane)); }
  template <int kColumn> PRIMITIVE F32 signed_column_f32(Bytes plane) { return to_f32(signed_column<kColumn>(plane)); }
};
template <> struct Neon::DotType<true> { using Type = I32; };

} // namespace
} // namespace mote::kernels

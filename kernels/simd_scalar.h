// ISA policy: plain C++ arrays of 16 lanes. The definition of what the other policies compute.
#pragma once
#include "kernels/code_kinds.h"

namespace mote::kernels {
namespace {

struct Scalar {
  static constexpr const char* kName = "scalar";

  struct F32 { float v[16]; };
  struct I32 { int32_t v[16]; };

  template <class R, class Fn> static R each(Fn fn) {
    R r;
    for (int i = 0; i < static_cast<int>(sizeof(r.v) / sizeof(r.v[0])); ++i) r.v[i] = fn(i);
    return r;
  }

  // ---- Float lanes -------------------------------------------------------------------------------------------------------

  static float float_of_bits(uint32_t bits) {
    float f;
    __builtin_memcpy(&f, &bits, 4);
    return f;
  }
  static float f32_from_f16(uint32_t h) { // exact, subnormals included
    const uint32_t sign = (h & 0x8000u) << 16, magnitude = h & 0x7fffu;
    if (magnitude < 0x0400) {
      const float f = static_cast<float>(magnitude) * 0x1p-24f;
      return sign ? -f : f;
    }
    return float_of_bits(sign | ((magnitude << 13) + ((magnitude >= 0x7c00 ? 255u - 31 : 127u - 15) << 23)));
  }

  static F32 zero() { return each<F32>([](int) { return 0.0f; }); }
  static F32 splat(const float& x) { return each<F32>([&](int) { return x; }); }
  static F32 load(const float* p) { return each<F32>([&](int i) { return p[i]; }); }
  static F32 load_f16(const uint8_t* p) {
    return each<F32>([&](int i) { return f32_from_f16(static_cast<uint32_t>(p[2 * i] | p[2 * i + 1] << 8)); });
  }
  static F32 load_bf16(const uint8_t* p) {
    return each<F32>([&](int i) { return float_of_bits(static_cast<uint32_t>(p[2 * i] | p[2 * i + 1] << 8) << 16); });
  }
  static void store(float* p, const F32& x) { for (int i = 0; i < 16; ++i) p[i] = x.v[i]; }
  static F32 add(const F32& a, const F32& b) { return each<F32>([&](int i) { return a.v[i] + b.v[i]; }); }
  static F32 mul(const F32& a, const F32& b) { return each<F32>([&](int i) { return a.v[i] * b.v[i]; }); }
  static F32 fma(const F32& a, const F32& b, const F32& c) { // a * b + c
    return each<F32>([&](int i) { return __builtin_fmaf(a.v[i], b.v[i], c.v[i]); });
  }
  static F32 fnma(const F32& a, const F32& b, const F32& c) { // -a * b + c
    return each<F32>([&](int i) { return __builtin_fmaf(-a.v[i], b.v[i], c.v[i]); });
  }
  static F32 to_f32(const I32& x) { return each<F32>([&](int i) { return static_cast<float>(x.v[i]); }); }
  /// Every NaN becomes 0x7fc00000: which NaN an operation returns depends on the instruction.
  static F32 canonical_nan(const F32& x) {
    return each<F32>([&](int i) { return x.v[i] == x.v[i] ? x.v[i] : float_of_bits(0x7fc00000); });
  }

  // ---- Integer dot products ----------------------------------------------------------------------------------------------
  // Bytes: four columns of each row. Dot: a running dot product of each row. Scales: an integer of each row, ready to multiply
  // a Dot. Act: activations of a few groups of four columns.

  static constexpr int kTileTokens = 1;  // of mul_mat
  static constexpr int kCodesAtOnce = 4; // of those that share a plane, with several tokens
  static constexpr bool kHighNibbleInPlace = false;
  /// Groups of four columns that one Dot may hold.
  template <Code> static constexpr int kDotGroups = 8;

  struct Bytes { uint8_t v[64]; };
  using Scales = I32;
  using Act = const int8_t*;
  template <Code> using Dot = I32;

  static Bytes load_bytes(const uint8_t* p) { return each<Bytes>([&](int i) { return p[i]; }); }
  /// (x shifted right by kShift, left when negative) & kMask, in each byte.
  template <int kShift, int kMask> static Bytes bits(const Bytes& x) {
    return each<Bytes>([&](int i) {
      return static_cast<uint8_t>((kShift > 0 ? x.v[i] >> (kShift & 7) : x.v[i] << (-kShift & 7)) & kMask);
    });
  }
  template <int kShift, int kMask> static Bytes or_bits(const Bytes& acc, const Bytes& x) {
    const Bytes y = bits<kShift, kMask>(x);
    return each<Bytes>([&](int i) { return static_cast<uint8_t>(acc.v[i] | y.v[i]); });
  }
  static Bytes high_nibble(const Bytes& x) { return bits<4, 0x0f>(x); }
  /// The codes that are spread over the upper bits of several planes.
  static Bytes top_code6(const Bytes& a, const Bytes& b, const Bytes& c) {
    return or_bits<6, 0x03>(or_bits<4, 0x0c>(bits<2, 0x30>(c), b), a);
  }
  static Bytes top_code5(const Bytes& a, const Bytes& b) { return or_bits<5, 0x03>(bits<3, 0x1c>(a), b); }
  static Bytes top_code5(const Bytes& a, const Bytes& b, const Bytes& c) {
    return or_bits<7, 0x01>(or_bits<6, 0x02>(bits<3, 0x1c>(a), b), c);
  }

  static Act load_act(const int8_t* p) { return p; }
  /// neg_sum: minus the sum of the activations, over columns 0,1 and over columns 2,3 (mod 4); unused unless the code is centred.
  template <Code kCode> static Dot<kCode> dot_start(const int16_t* neg_sum) {
    int32_t start = 0;
    if constexpr (kCode != Code::kS8 && code_offset(kCode) != 0) start = (neg_sum[0] + neg_sum[1]) * code_offset(kCode);
    return each<I32>([=](int) { return start; });
  }
  /// Bytes as the dot product wants them.
  template <Code> static Bytes dot_operand(const Bytes& w) { return w; }
  template <Code kCode, int kGroup> static void dot_add(Dot<kCode>& dot, const Bytes& w, Act a) {
    for (int i = 0; i < 16; ++i)
      for (int k = 0; k < 4; ++k) {
        const uint8_t code = w.v[4 * i + k];
        dot.v[i] += (kCode == Code::kS8 ? static_cast<int8_t>(code) : code) * a[4 * kGroup + k];
      }
  }
  template <Code kCode> static I32 dot_sum(const Dot<kCode>& dot) { return dot; }
  template <Code kCode> static I32 dot_scaled(const Dot<kCode>& dot, const Scales& s) {
    return each<I32>([&](int i) { return dot.v[i] * s.v[i]; });
  }
  template <Code kCode> static I32 dot_scaled_add(const I32& acc, const Dot<kCode>& dot, const Scales& s) {
    return each<I32>([&](int i) { return acc.v[i] + dot.v[i] * s.v[i]; });
  }
  template <int kShift> static I32 shl_add(const I32& a, const I32& b) {
    return each<I32>([&](int i) { return a.v[i] + b.v[i] * (1 << kShift); });
  }
  /// Byte kColumn of each row.
  template <int kColumn> static Scales column(const Bytes& plane) {
    return each<I32>([&](int i) { return static_cast<int32_t>(plane.v[4 * i + kColumn]); });
  }
  template <int kColumn> static Scales signed_column(const Bytes& plane) {
    return each<I32>([&](int i) { return static_cast<int32_t>(static_cast<int8_t>(plane.v[4 * i + kColumn])); });
  }
};

} // namespace
} // namespace mote::kernels

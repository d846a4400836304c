// ISA policy: plain C++ arrays of 16 lanes. The definition of what the other policies compute.
#pragma once
#include "kernels/code_kinds.h"
#include "kernels/fused.h"

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
  /// p: a byte e of each row -> 2^(e - 127), exact for e = 0; NaN for e = 255.
  static F32 load_e8m0(const uint8_t* p) {
    return each<F32>([&](int i) {
      const uint32_t e = p[i];
      return float_of_bits(e == 255 ? 0x7fc00000u : e == 0 ? 0x00400000u : e << 23);
    });
  }
  static void store(float* p, const F32& x) { for (int i = 0; i < 16; ++i) p[i] = x.v[i]; }
  static F32 add(const F32& a, const F32& b) { return each<F32>([&](int i) { return a.v[i] + b.v[i]; }); }
  static F32 mul(const F32& a, const F32& b) { return each<F32>([&](int i) { return a.v[i] * b.v[i]; }); }
  static F32 fma(const F32& a, const F32& b, const F32& c) { // a * b + c
    return each<F32>([&](int i) { return fused_multiply_add(a.v[i], b.v[i], c.v[i]); });
  }
  static F32 fnma(const F32& a, const F32& b, const F32& c) { // -a * b + c
    return each<F32>([&](int i) { return fused_multiply_add(-a.v[i], b.v[i], c.v[i]); });
  }
  static F32 to_f32(const I32& x) { return each<F32>([&](int i) { return static_cast<float>(x.v[i]); }); }
  /// Every NaN becomes 0x7fc00000: which NaN an operation returns depends on the instruction.
  static F32 canonical_nan(const F32& x) {
    return each<F32>([&](int i) { return x.v[i] == x.v[i] ? x.v[i] : float_of_bits(0x7fc00000); });
  }

  // ---- Float lanes of the vector operations ------------------------------------------------------------------------------

  static constexpr int kAttentionRows = 1; // queries that share each loaded k and v
  static constexpr int kAttentionSums = 1; // 16-lane sums that the registers hold while v is added up
  static constexpr bool kAsksForCache = false; // whether attention asks for k and v before it reads them

  /// Lanes n .. 15 are 0 and not read; store_first does not write them.
  static F32 load_first(const float* p, int n) { return each<F32>([&](int i) { return i < n ? p[i] : 0.0f; }); }
  static void store_first(float* p, const F32& x, int n) { for (int i = 0; i < n; ++i) p[i] = x.v[i]; }
  /// Lanes 0 .. n - 1 of a, the others of b; n <= 16.
  static F32 first_of(const F32& a, const F32& b, int n) { return each<F32>([&](int i) { return i < n ? a.v[i] : b.v[i]; }); }
  static F32 load_f16(const uint16_t* p) { return each<F32>([&](int i) { return f32_from_f16(p[i]); }); }
  static uint32_t bits_of_float(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, 4);
    return bits;
  }
  static uint16_t f16_from_f32(float x) {
    const uint32_t sign = bits_of_float(x) >> 16 & 0x8000u, magnitude = bits_of_float(x) & 0x7fffffffu;
    if (magnitude > 0x7f800000) return 0x7e00;
    uint32_t h = 0x7c00;
    // the floats from 0.5 to 1 are as far apart as the subnormals of f16
    if (magnitude < 0x38800000) h = bits_of_float(float_of_bits(magnitude) + 0.5f) - 0x3f000000u;
    else if (magnitude < 0x47800000) h = (magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
    return static_cast<uint16_t>(sign | h);
  }
  /// Rounds to nearest even; every NaN becomes 0x7e00.
  static void store_f16(uint16_t* p, const F32& x) { for (int i = 0; i < 16; ++i) p[i] = f16_from_f32(x.v[i]); }
  static F32 sub(const F32& a, const F32& b) { return each<F32>([&](int i) { return a.v[i] - b.v[i]; }); }
  static F32 div(const F32& a, const F32& b) { return each<F32>([&](int i) { return a.v[i] / b.v[i]; }); }
  static F32 sqrt(const F32& x) { return each<F32>([&](int i) { return __builtin_sqrtf(x.v[i]); }); }
  /// b where they are equal or one is NaN: what x86 does.
  static F32 max(const F32& a, const F32& b) { return each<F32>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; }); }
  static F32 min(const F32& a, const F32& b) { return each<F32>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; }); }
  /// x * 2^n, rounded once. x in [0.5, 2], n a whole number in [-250, 250]; or both NaN.
  static F32 mul_pow2(const F32& x, const F32& n) {
    auto pow2 = [](int32_t e) { return float_of_bits(static_cast<uint32_t>(e + 127) << 23); };
    return each<F32>([&](int i) {
      const int32_t e = n.v[i] == n.v[i] ? static_cast<int32_t>(n.v[i]) : 0, half = e / 2;
      return x.v[i] * pow2(half) * pow2(e - half); // the first product is exact
    });
  }

  // ---- Integer dot products ----------------------------------------------------------------------------------------------
  // Bytes: four columns of each row. Dot: a running dot product of each row. Scales: an integer of each row, ready to multiply
  // a Dot. Total: the sum of 32 columns, scales included. A policy may have Scales and Total in floats: totals are whole numbers
  // that are exact in them (code_kinds.h). Act: activations of a few groups of four columns.

  static constexpr int kTileTokens = 1;  // of mul_mat
  static constexpr int kFloatTileTokens = 1; // of mul_mat with F32, F16 and BF16 weights
  static constexpr int kCodesAtOnce = 4; // of those that share a plane, with several tokens
  static constexpr bool kHighNibbleInPlace = false;
  /// Groups of four columns that one Dot may hold.
  template <Code> static constexpr int kDotGroups = 8;

  struct Bytes { uint8_t v[64]; };
  using Scales = I32;
  using Total = I32;
  using Act = const int8_t*;
  template <Code> using Dot = I32;

  /// A policy may also load LinesAhead (kernels/prefetch.h), with the hint that they carry.
  static Bytes load_bytes(const uint8_t* p) { return each<Bytes>([&](int i) { return p[i]; }); }
  /// p: u16 of each row, h -> bytes h, h >> 8, h >> 2, h >> 10. Only bits 0-1 and 4-5 of them are used.
  static Bytes spread_halves(const uint8_t* p) {
    return each<Bytes>([&](int i) { return static_cast<uint8_t>(p[i / 4 * 2 + i % 2] >> i % 4 / 2 * 2); });
  }
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
  template <int kValue> static Bytes subtract(const Bytes& x) {
    return each<Bytes>([&](int i) { return static_cast<uint8_t>(x.v[i] - kValue); });
  }
  /// The entry of the table for each byte 0..15, as dot_operand() would return it.
  template <Code> static Bytes lookup(const int8_t (&table)[16], const Bytes& x) {
    return each<Bytes>([&](int i) { return static_cast<uint8_t>(table[x.v[i]]); });
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
  template <Code kCode> static Total dot_sum(const Dot<kCode>& dot) { return dot; }
  template <Code kCode> static Total dot_scaled(const Dot<kCode>& dot, const Scales& s) {
    return each<I32>([&](int i) { return dot.v[i] * s.v[i]; });
  }
  template <Code kCode> static Total dot_scaled_add(const Total& acc, const Dot<kCode>& dot, const Scales& s) {
    return each<I32>([&](int i) { return acc.v[i] + dot.v[i] * s.v[i]; });
  }
  /// Lane s: scale[s / 2] * sum of 16 activations, whose negative halves are neg_sum[s].
  static F32 scaled_sums16(const int16_t (&neg_sum)[16][2], const float (&scale)[8]) {
    return each<F32>([&](int s) { return static_cast<float>(-(neg_sum[s][0] + neg_sum[s][1])) * scale[s / 2]; });
  }
  /// Byte kColumn of each row.
  template <int kColumn> static Scales column(const Bytes& plane) {
    return each<I32>([&](int i) { return static_cast<int32_t>(plane.v[4 * i + kColumn]); });
  }
  template <int kColumn> static Scales signed_column(const Bytes& plane) {
    return each<I32>([&](int i) { return static_cast<int32_t>(static_cast<int8_t>(plane.v[4 * i + kColumn])); });
  }
  template <int kColumn> static F32 column_f32(const Bytes& plane) { return to_f32(column<kColumn>(plane)); }
  template <int kColumn> static F32 signed_column_f32(const Bytes& plane) { return to_f32(signed_column<kColumn>(plane)); }
};

} // namespace
} // namespace mote::kernels

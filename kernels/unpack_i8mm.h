// From panels to what smmla multiplies: one byte a code, 2 rows x 8 columns in a register, and the scales beside. Included by the
// unit of NEON with I8MM only.
#pragma once
#include "kernels/formats/all.h"
#include "kernels/simd_neon_i8mm.h"

namespace mote::kernels {
namespace {

/// 256 columns of 16 rows. Numbers of a row stand twice, once for each of the two tokens that share a register.
struct alignas(64) Unpacked {
  int8_t codes[8][2][4][4][16]; // [32-block, half of the rows, eight columns, pair of rows]: columns of one row, then of the other
  int32_t scale[16][32];        // [block of 32 columns, or of 16: the format's kIntegerScales, row twice]
  float min[8][32];             // [32-block, row twice]
  float d[8][32];               // [32-block, row twice]; where the scales are integers [0] is d and [1] dmin
};

using Bytes = NeonI8mm::Bytes;

/// Groups of four columns `even` and `even` + 1, even = 2 * k, of one 32-block.
INLINE inline void store_codes(Bytes even, Bytes odd, int k, int8_t (&codes)[2][4][4][16]) {
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; ++i) { // rows 4i .. 4i + 3
    const uint32x4x2_t both = {{vreinterpretq_u32_u8(even.v[i]), vreinterpretq_u32_u8(odd.v[i])}};
    int8_t* rows = codes[i / 2][k][i % 2 * 2];
    vst2q_u32(reinterpret_cast<uint32_t*>(rows), both);
  }
}
INLINE inline void store_twice(NeonI8mm::I32 x, int32_t (&out)[32]) {
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; ++i) vst2q_s32(out + 8 * i, (int32x4x2_t{{x.v[i], x.v[i]}}));
}
INLINE inline void store_twice(NeonI8mm::F32 x, float (&out)[32]) {
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; ++i) vst2q_f32(out + 8 * i, (float32x4x2_t{{x.v[i], x.v[i]}}));
}
/// 32 five-bit codes less kOffset.
template <int kOffset> INLINE inline void store_five_planes(const uint8_t* planes, int8_t (&codes)[2][4][4][16]) {
  Bytes c[8];
  each_of_five_planes<NeonI8mm>(planes, [&]<int, int kGroup>(Bytes code) INLINE {
    c[kGroup] = NeonI8mm::subtract<kOffset>(code);
  });
  _Pragma("GCC unroll 4") for (int k = 0; k < 4; ++k) store_codes(c[2 * k], c[2 * k + 1], k, codes);
}
/// Of Q4_K and Q5_K.
inline void store_scales_6bit(const uint8_t* header, const uint8_t* planes, Unpacked& out) {
  using P = NeonI8mm;
  const auto scales = load_scales<P>(planes);
  _Pragma("GCC unroll 2") for (int half = 0; half < 2; ++half)
    four_groups([&]<int kColumn>() INLINE {
      store_twice(P::column<kColumn>(scales.scales[half]), out.scale[4 * half + kColumn]);
      store_twice(P::column_f32<kColumn>(scales.mins[half]), out.min[4 * half + kColumn]);
    });
  store_twice(P::load_f16(header), out.d[0]);
  store_twice(P::load_f16(header + 32), out.d[1]);
}

/// unpack: one block of the panel into out; b: which 32 columns of it.
/// kIntegerScales: of each row and 32 columns; 0: the only scale is d.
template <class Format> struct Unpack;

template <> struct Unpack<Q4_K> {
  static constexpr int kIntegerScales = 1;
  static constexpr bool kMins = true;
  static void unpack(const uint8_t* header, const uint8_t* planes, int, Unpacked& out) {
    store_scales_6bit(header, planes, out);
    for (int i = 0; i < 16; ++i) { // pair i / 4 of 32-blocks
      const Bytes even = NeonI8mm::load_bytes(planes + 192 + 128 * i), odd = NeonI8mm::load_bytes(planes + 256 + 128 * i);
      store_codes(NeonI8mm::bits<0, 0x0f>(even), NeonI8mm::bits<0, 0x0f>(odd), i % 4, out.codes[i / 4 * 2]);
      store_codes(NeonI8mm::bits<4, 0x0f>(even), NeonI8mm::bits<4, 0x0f>(odd), i % 4, out.codes[i / 4 * 2 + 1]);
    }
  }
};

template <> struct Unpack<Q5_K> {
  static constexpr int kIntegerScales = 1;
  static constexpr bool kMins = true;
  static void unpack(const uint8_t* header, const uint8_t* planes, int, Unpacked& out) {
    store_scales_6bit(header, planes, out);
    for (int b = 0; b < 8; ++b) store_five_planes<0>(planes + 192 + 320 * b, out.codes[b]);
  }
};

template <> struct Unpack<Q6_K> {
  static constexpr int kIntegerScales = 2;
  static constexpr bool kMins = false;
  static void unpack(const uint8_t* header, const uint8_t* planes, int, Unpacked& out) {
    using P = NeonI8mm;
    store_twice(P::load_f16(header), out.d[0]);
    for (int i = 0; i < 4; ++i) {
      const Bytes scales = P::load_bytes(planes + 64 * i);
      four_groups([&]<int kColumn>() INLINE { store_twice(P::signed_column<kColumn>(scales), out.scale[4 * i + kColumn]); });
    }
    for (int i = 0; i < 8; ++i) { // half i / 4 of the 32-blocks, eight columns of each
      const uint8_t* p = planes + 256 + 384 * i;
      Bytes c[2][4];
      _Pragma("GCC unroll 2") for (int odd = 0; odd < 2; ++odd, p += 192) {
        const Bytes a = P::load_bytes(p), b = P::load_bytes(p + 64), d = P::load_bytes(p + 128);
        c[odd][0] = P::subtract<32>(P::bits<0, 0x3f>(a));
        c[odd][1] = P::subtract<32>(P::bits<0, 0x3f>(b));
        c[odd][2] = P::subtract<32>(P::bits<0, 0x3f>(d));
        c[odd][3] = P::subtract<32>(P::top_code6(a, b, d));
      }
      _Pragma("GCC unroll 4") for (int j = 0; j < 4; ++j) store_codes(c[0][j], c[1][j], i % 4, out.codes[i / 4 * 4 + j]);
    }
  }
};

template <> struct Unpack<Q8_0> {
  static constexpr int kIntegerScales = 0;
  static constexpr bool kMins = false;
  static void unpack(const uint8_t* header, const uint8_t* planes, int b, Unpacked& out) {
    store_twice(NeonI8mm::load_f16(header), out.d[b]);
    _Pragma("GCC unroll 4") for (int k = 0; k < 4; ++k)
      store_codes(NeonI8mm::load_bytes(planes + 128 * k), NeonI8mm::load_bytes(planes + 128 * k + 64), k, out.codes[b]);
  }
};

template <> struct Unpack<Q5_0> {
  static constexpr int kIntegerScales = 0;
  static constexpr bool kMins = false;
  static void unpack(const uint8_t* header, const uint8_t* planes, int b, Unpacked& out) {
    store_twice(NeonI8mm::load_f16(header), out.d[b]);
    store_five_planes<16>(planes, out.codes[b]);
  }
};

template <> struct Unpack<Q4_0> {
  static constexpr int kIntegerScales = 0;
  static constexpr bool kMins = false;
  static void unpack(const uint8_t* header, const uint8_t* planes, int b, Unpacked& out) {
    using P = NeonI8mm;
    store_twice(P::load_f16(header), out.d[b]);
    _Pragma("GCC unroll 2") for (int k = 0; k < 2; ++k) {
      const Bytes even = P::load_bytes(planes + 128 * k), odd = P::load_bytes(planes + 128 * k + 64);
      store_codes(P::subtract<8>(P::bits<0, 0x0f>(even)), P::subtract<8>(P::bits<0, 0x0f>(odd)), k, out.codes[b]);
      store_codes(P::subtract<8>(P::bits<4, 0x0f>(even)), P::subtract<8>(P::bits<4, 0x0f>(odd)), k + 2, out.codes[b]);
    }
  }
};

} // namespace
} // namespace mote::kernels

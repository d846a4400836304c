// IQ4_XS: 256 weights in eight 32-blocks, w = d * (L - 32) * table[code]. Codes 0..15; L 0..63.
// Panel, per 256 columns: header d f16[16], H u16[16]; a plane of scales: byte 4*row + k = low4(L) of 32-block k | low4(L) of
// 4 + k << 4; then four planes (nibbles.h) a 32-block. H holds the top two bits of L: of 32-blocks 0 2 4 6 in the low byte, of
// 1 3 5 7 in the high byte, from bit 0.
#pragma once
#include "kernels/formats/nibbles.h"

namespace mote::kernels {
namespace {

struct IQ4_XS {
  static constexpr FormatLayout kLayout = {256, 136, 64, 2112};

  // The file: d, u16 with the top bits of L(b) at bit 2b, four bytes low4 L(2i) | low4 L(2i + 1) << 4, the codes.
  static void pack_block(const uint8_t* block, int row, uint8_t* header, uint8_t* planes) {
    copy_half(header + 2 * row, block);
    uint32_t even = 0, odd = 0;
    for (int i = 0; i < 4; ++i) {
      even |= static_cast<uint32_t>(block[2 + i / 2] >> i % 2 * 4 & 3) << 2 * i;
      odd |= static_cast<uint32_t>(block[2 + i / 2] >> (i % 2 * 4 + 2) & 3) << 2 * i;
    }
    header[32 + 2 * row] = static_cast<uint8_t>(even);
    header[33 + 2 * row] = static_cast<uint8_t>(odd);
    for (int k = 0; k < 4; ++k) {
      const int low = block[4 + k / 2] >> k % 2 * 4 & 15, high = block[6 + k / 2] >> k % 2 * 4 & 15;
      planes[4 * row + k] = static_cast<uint8_t>(low | high << 4);
    }
    for (int b = 0; b < 8; ++b) pack_nibbles(block + 8 + 16 * b, row, planes + 64 + 256 * b);
  }
  static void unpack_block(const uint8_t* header, const uint8_t* planes, int row, uint8_t* block) {
    copy_half(block, header + 2 * row);
    const int even = header[32 + 2 * row], odd = header[33 + 2 * row];
    for (int i = 0; i < 2; ++i) {
      const int e = even >> 4 * i, o = odd >> 4 * i;
      block[2 + i] = static_cast<uint8_t>((e & 3) | (o & 3) << 2 | (e >> 2 & 3) << 4 | (o >> 2 & 3) << 6);
    }
    for (int i = 0; i < 2; ++i) {
      const int a = planes[4 * row + 2 * i], b = planes[4 * row + 2 * i + 1];
      block[4 + i] = static_cast<uint8_t>((a & 15) | (b & 15) << 4);
      block[6 + i] = static_cast<uint8_t>(a >> 4 | (b >> 4) << 4);
    }
    for (int b = 0; b < 8; ++b) unpack_nibbles(planes + 64 + 256 * b, row, block + 8 + 16 * b);
  }

  /// L - 32: byte 4*row + k of plane i belongs to 32-block 4i + k.
  template <class P> struct BlockScales { typename P::Bytes plane[2]; };
  template <class P, class Planes> INLINE static BlockScales<P> load_scales(const uint8_t* header, Planes planes) {
    const auto low = P::load_bytes(planes), high = P::spread_halves(header + 32);
    return {{P::template subtract<32>(P::template or_bits<-4, 0x30>(P::template bits<0, 0x0f>(low), high)),
             P::template subtract<32>(P::template or_bits<0, 0x30>(P::template bits<4, 0x0f>(low), high))}};
  }

  static constexpr Expansion kExpansion = {Code::kS8, 0, false};
  template <class P, class Out> INLINE static void expand(const uint8_t* header, const uint8_t* planes, int, Out& out) {
    const auto scales = load_scales<P>(header, planes);
    four_groups([&]<int kColumn>() INLINE {
      out.d(kColumn, P::template signed_column_f32<kColumn>(scales.plane[0]));
      out.d(4 + kColumn, P::template signed_column_f32<kColumn>(scales.plane[1]));
    });
    out.d_of_all(P::load_f16(header));
    for (int b = 0; b < 8; ++b) expand_iq4<P>(planes + 64 + 256 * b, b, out);
  }

  template <class P, int kNT, class Planes>
  INLINE static void multiply(const uint8_t* header, Planes planes, Acts act, int, typename P::F32 (&acc)[kNT]) {
    const auto scales = load_scales<P>(header, planes);
    typename P::F32 sum[kNT];
    EACH_TOKEN(t) sum[t] = P::zero();
    auto add_half = [&]<int kHalf>() INLINE {
      four_groups([&]<int kColumn>() INLINE {
        const int b = 4 * kHalf + kColumn;
        typename P::template Dot<Code::kS8> dot[kNT];
        dot_nibbles<P, Code::kS8>(planes + 64 + 256 * b, act, b, dot, [](typename P::Bytes code) INLINE {
          return P::template lookup<Code::kS8>(kIq4Values, code);
        });
        add_block_32<P, Code::kS8>(P::template signed_column_f32<kColumn>(scales.plane[kHalf]), act, b, dot, sum);
      });
    };
    add_half.template operator()<0>();
    add_half.template operator()<1>();
    const auto d = P::load_f16(header);
    EACH_TOKEN(t) acc[t] = P::fma(d, sum[t], acc[t]);
  }
};

} // namespace
} // namespace mote::kernels

// mul_mat by products of int8 matrices: 16 rows x 256 columns are unpacked once and then multiplied with up to 64 tokens, in tiles
// of 8 rows x 4 tokens. Included by the unit of NEON with I8MM only.
//
// A register holds rows r, r + 1 of tokens t, t + 1: (r, t) (r, t + 1) (r + 1, t) (r + 1, t + 1). What each lane computes, and in
// which order, is what Format::multiply does: the same bits.
#pragma once
#include "kernels/mul_mat.h"
#include "kernels/unpack_i8mm.h"

namespace mote::kernels {
namespace {

/// Sums of one panel: [pair of tokens, half of the rows, pair of rows] registers.
using TileSums = float[kUnpackTokens / 2][2][4][4];

#define EACH_PAIR(p) _Pragma("GCC unroll 2") for (int p = 0; p < kPairs; ++p)
#define EACH_ROW_PAIR(r) _Pragma("GCC unroll 4") for (int r = 0; r < 4; ++r)

/// A number of each 32-block and token, as it meets the rows: (t, t + 1, t, t + 1).
template <int kPairs> using TokenNumbers = float[8][kPairs][4];

/// field: of the activation blocks, scale or sum.
template <int kPairs>
INLINE inline void spread_numbers(const ActBlock* const (&act)[2 * kPairs], float (ActBlock::*field)[8], TokenNumbers<kPairs>& out) {
  EACH_PAIR(p) _Pragma("GCC unroll 2") for (int b = 0; b < 8; b += 4) {
    const float32x4_t first = vld1q_f32(act[2 * p]->*field + b), second = vld1q_f32(act[2 * p + 1]->*field + b);
    const float32x4_t low = vzip1q_f32(first, second), high = vzip2q_f32(first, second);
    vst1q_f32(out[b][p], vcombine_f32(vget_low_f32(low), vget_low_f32(low)));
    vst1q_f32(out[b + 1][p], vcombine_f32(vget_high_f32(low), vget_high_f32(low)));
    vst1q_f32(out[b + 2][p], vcombine_f32(vget_low_f32(high), vget_low_f32(high)));
    vst1q_f32(out[b + 3][p], vcombine_f32(vget_high_f32(high), vget_high_f32(high)));
  }
}

/// Columns 8k .. 8k + 15 of a 32-block, k even.
template <int kPairs>
INLINE inline void multiply_sixteen_columns(const int8_t (*codes)[4][16], const int8_t* const (&q)[2 * kPairs], int column,
                                            int32x4_t (&dot)[4][kPairs]) {
  int8x16_t x[2][kPairs];
  EACH_PAIR(p) {
    const int64x2_t a = vreinterpretq_s64_s8(vld1q_s8(q[2 * p] + column)), b = vreinterpretq_s64_s8(vld1q_s8(q[2 * p + 1] + column));
    x[0][p] = vreinterpretq_s8_s64(vzip1q_s64(a, b));
    x[1][p] = vreinterpretq_s8_s64(vzip2q_s64(a, b));
  }
  _Pragma("GCC unroll 2") for (int k = 0; k < 2; ++k) {
    const int8x16x4_t w = vld1q_s8_x4(codes[k][0]);
    EACH_ROW_PAIR(r) EACH_PAIR(p) dot[r][p] = vmmlaq_s32(dot[r][p], w.val[r], x[k][p]);
  }
}

/// out -= dmin * sum over the 32-blocks of M * sum(activations), for eight rows.
template <int kPairs>
INLINE inline void subtract_tile_mins(const Unpacked& w, int half, const TokenNumbers<kPairs>& sums, float (*out)[2][4][4]) {
  float32x4_t sum[4][kPairs];
  EACH_ROW_PAIR(r) EACH_PAIR(p) sum[r][p] = vdupq_n_f32(0);
  for (int b = 0; b < 8; ++b) {
    const float32x4x4_t m = vld1q_f32_x4(w.min[b] + 16 * half);
    EACH_PAIR(p) {
      const float32x4_t s = vld1q_f32(sums[b][p]);
      EACH_ROW_PAIR(r) sum[r][p] = vfmaq_f32(sum[r][p], m.val[r], s);
    }
  }
  const float32x4x4_t d_min = vld1q_f32_x4(w.d_min + 16 * half);
  EACH_ROW_PAIR(r) EACH_PAIR(p)
    vst1q_f32(out[p][half][r], vfmsq_f32(vld1q_f32(out[p][half][r]), d_min.val[r], sum[r][p]));
}

/// Eight rows of the first n_blocks of eight 32-blocks times 2 * kPairs tokens, whose codes start at q. Adds to out.
template <class Format, int kPairs>
INLINE inline void multiply_eight_rows(const Unpacked& w, int half, int n_blocks, const int8_t* const (&q)[2 * kPairs],
                                       const TokenNumbers<kPairs>& scales, float (*out)[2][4][4]) {
  constexpr int kScales = Format::kExpansion.integer_scales;
  constexpr bool kScaledAtEnd = Format::kLayout.block_cols == 256;
  float32x4_t sum[4][kPairs]; // over the blocks
  EACH_ROW_PAIR(r) EACH_PAIR(p) sum[r][p] = kScaledAtEnd ? vdupq_n_f32(0) : vld1q_f32(out[p][half][r]);
  for (int b = 0; b < n_blocks; ++b) {
    int32x4_t dot[4][kPairs], total[4][kPairs];
    EACH_ROW_PAIR(r) EACH_PAIR(p) dot[r][p] = vdupq_n_s32(0);
    _Pragma("GCC unroll 2") for (int part = 0; part < 2; ++part) {
      multiply_sixteen_columns<kPairs>(&w.codes[b][half][2 * part], q, 32 * b + 16 * part, dot);
      if constexpr (kScales == 2) {
        const int32x4x4_t s = vld1q_s32_x4(w.scale[2 * b + part] + 16 * half);
        EACH_ROW_PAIR(r) EACH_PAIR(p) {
          total[r][p] = part == 0 ? vmulq_s32(dot[r][p], s.val[r]) : vmlaq_s32(total[r][p], dot[r][p], s.val[r]);
          dot[r][p] = vdupq_n_s32(0);
        }
      }
    }
    if constexpr (kScales == 1) {
      const int32x4x4_t s = vld1q_s32_x4(w.scale[b] + 16 * half);
      EACH_ROW_PAIR(r) EACH_PAIR(p) total[r][p] = vmulq_s32(dot[r][p], s.val[r]);
    }
    EACH_PAIR(p) {
      const float32x4_t scale = vld1q_f32(scales[b][p]);
      if constexpr (kScales == 0) {
        const float32x4x4_t d = vld1q_f32_x4(w.d[b] + 16 * half);
        EACH_ROW_PAIR(r) sum[r][p] = vfmaq_f32(sum[r][p], vcvtq_f32_s32(dot[r][p]), vmulq_f32(d.val[r], scale));
      } else {
        EACH_ROW_PAIR(r) sum[r][p] = vfmaq_f32(sum[r][p], vcvtq_f32_s32(total[r][p]), scale);
      }
    }
  }
  if constexpr (kScaledAtEnd) {
    const float32x4x4_t d = vld1q_f32_x4(w.d_of_all + 16 * half);
    EACH_ROW_PAIR(r) EACH_PAIR(p) sum[r][p] = vfmaq_f32(vld1q_f32(out[p][half][r]), d.val[r], sum[r][p]);
  }
  EACH_ROW_PAIR(r) EACH_PAIR(p) vst1q_f32(out[p][half][r], sum[r][p]);
}

/// 16 rows of the first n_blocks of eight 32-blocks times 2 * kPairs tokens. Adds to out.
template <class Format, int kPairs>
NOINLINE void multiply_tile_i8mm(const Unpacked& w, int n_blocks, const ActBlock* const (&act)[2 * kPairs], float (*out)[2][4][4]) {
  TokenNumbers<kPairs> scales, sums;
  spread_numbers<kPairs>(act, &ActBlock::scale, scales);
  if constexpr (Format::kExpansion.mins) spread_numbers<kPairs>(act, &ActBlock::sum, sums);
  const int8_t* q[2 * kPairs];
  for (int t = 0; t < 2 * kPairs; ++t) q[t] = act[t]->q;
  for (int half = 0; half < 2; ++half) {
    if constexpr (Format::kExpansion.mins) subtract_tile_mins<kPairs>(w, half, sums, out);
    multiply_eight_rows<Format, kPairs>(w, half, n_blocks, q, scales, out);
  }
}

/// Tokens first .. first + n - 1 of a tile of 2 * kPairs, block of 256 columns `block`. The last token stands in for those behind.
template <class Format, int kPairs>
inline void multiply_tokens(const MulMatArgs& args, const Unpacked& w, int block, int n_blocks, int first, int n,
                            float (*sums)[2][4][4]) {
  const ActBlock* act[2 * kPairs];
  for (int t = 0; t < 2 * kPairs; ++t)
    act[t] = args.act + static_cast<size_t>(first + (t < n ? t : n - 1)) * args.act_stride + block;
  multiply_tile_i8mm<Format, kPairs>(w, n_blocks, act, sums);
}

/// Tokens [first, last) of one panel, at most kUnpackTokens.
template <class Format> void multiply_panel_i8mm(const MulMatArgs& args, int panel, int first, int last) {
  constexpr int kBlocksAtOnce = 256 / Format::kLayout.block_cols;
  const uint8_t* weights = args.panels + static_cast<size_t>(panel) * panel_size(Format::kLayout, args.n_cols);
  const int n = last - first, n_rows = args.n_rows - panel * kPanelRows, n_blocks = args.n_cols / Format::kLayout.block_cols;
  Unpacked w;
  TileSums sums;
  __builtin_memset(sums, 0, sizeof(sums[0]) * static_cast<size_t>((n + 1) / 2));
  for (int block = 0; block < n_blocks; block += kBlocksAtOnce) {
    const int n_here = n_blocks - block < kBlocksAtOnce ? n_blocks - block : kBlocksAtOnce;
    const int n_32 = kBlocksAtOnce == 1 ? 8 : n_here;
    Unpacker<Format> unpacker(w);
    expand_blocks<NeonI8mm, Format>(weights, block, n_here, unpacker);
    for (int t = 0; t < n;) {
      if (n - t > 2) {
        multiply_tokens<Format, 2>(args, w, block / kBlocksAtOnce, n_32, first + t, n - t, sums + t / 2);
        t += 4;
      } else {
        multiply_tokens<Format, 1>(args, w, block / kBlocksAtOnce, n_32, first + t, n - t, sums + t / 2);
        t += 2;
      }
    }
  }
  for (int t = 0; t < n; ++t) {
    NeonI8mm::F32 row;
    for (int i = 0; i < 4; ++i) {
      const auto& tile = sums[t / 2][i / 2];
      const float32x4_t a = vld1q_f32(tile[i % 2 * 2]), b = vld1q_f32(tile[i % 2 * 2 + 1]);
      row.v[i] = t % 2 == 0 ? vuzp1q_f32(a, b) : vuzp2q_f32(a, b);
    }
    float* out = args.out + static_cast<size_t>(first + t) * args.out_stride + panel * kPanelRows;
    row = NeonI8mm::canonical_nan(row);
    if (n_rows >= kPanelRows) NeonI8mm::store(out, row);
    else NeonI8mm::store_first(out, row, n_rows);
  }
}

/// mul_mat of formats that are unpacked here; unpacking pays from four tokens on.
template <class Format> void mul_mat_i8mm(const MulMatArgs& args) {
  if (args.n_tokens < 4) return mul_mat<NeonI8mm, Format>(args);
  for (int first = 0; first < args.n_tokens; first += kUnpackTokens) {
    const int last = args.n_tokens - first > kUnpackTokens ? first + kUnpackTokens : args.n_tokens;
    for (int panel = args.first_panel; panel < args.last_panel; ++panel) multiply_panel_i8mm<Format>(args, panel, first, last);
  }
}

template <class Format>
  requires requires { Format::kExpansion; }
constexpr MulMat kMulMat<NeonI8mm, Format> = mul_mat_i8mm<Format>;

#undef EACH_PAIR
#undef EACH_ROW_PAIR

} // namespace
} // namespace mote::kernels

// mul_mat with many tokens: 256 columns of a panel are unpacked once and then multiplied with all of them, in tiles of a few. What
// each lane computes, and in which order, is what Format::multiply does: the same bits. Included by the ISA units only.
#pragma once
#include "kernels/expanded.h"
#include "kernels/mul_mat.h"
#include "kernels/prefetch.h"

namespace mote::kernels {
namespace {

/// Products with the groups kFirst .. kFirst + 3 and, with kGroups = 8, those behind them.
template <class P, Code kCode, int kFirst, int kGroups, int kNT>
INLINE inline void dot_groups(const typename P::Bytes (&codes)[8], Acts act, int b, typename P::template Dot<kCode> (&dot)[kNT]) {
  typename P::Act q[kNT];
  EACH_TOKEN(t) q[t] = P::load_act(act[t].q + 32 * b + 4 * kFirst);
  four_groups([&]<int kGroup>() INLINE {
    const auto& w = codes[kFirst + kGroup];
    EACH_TOKEN(t) P::template dot_add<kCode, kGroup>(dot[t], w, q[t]);
  });
  if constexpr (kGroups == 8) dot_groups<P, kCode, 4, 4>(codes, act, b, dot);
}

/// The sums of the 32-block b, integer scales included.
template <class P, class Format, int kNT>
INLINE inline void sum_block(const Expanded<P>& w, Acts act, int b, typename P::Total (&total)[kNT]) {
  constexpr Expansion kForm = Format::kExpansion;
  constexpr Code kCode = kForm.code;
  if constexpr (kForm.integer_scales == 2 || P::template kDotGroups<kCode> < 8) { // a dot product for each half
    static_assert(kForm.integer_scales > 0);
    typename P::template Dot<kCode> dot[kNT];
    const auto &scale0 = w.scale(kForm.integer_scales * b), &scale1 = w.scale(kForm.integer_scales * b + kForm.integer_scales - 1);
    EACH_TOKEN(t) dot[t] = P::template dot_start<kCode>(act[t].neg_sum16[2 * b]);
    dot_groups<P, kCode, 0, 4>(w.codes(b), act, b, dot);
    EACH_TOKEN(t) {
      total[t] = P::template dot_scaled<kCode>(dot[t], scale0);
      dot[t] = P::template dot_start<kCode>(act[t].neg_sum16[2 * b + 1]);
    }
    dot_groups<P, kCode, 4, 4>(w.codes(b), act, b, dot);
    EACH_TOKEN(t) total[t] = P::template dot_scaled_add<kCode>(total[t], dot[t], scale1);
  } else {
    typename P::template Dot<kCode> dot[kNT];
    EACH_TOKEN(t) dot[t] = P::template dot_start<kCode>(act[t].neg_sum32[b]);
    dot_groups<P, kCode, 0, 8>(w.codes(b), act, b, dot);
    if constexpr (kForm.integer_scales == 1) EACH_TOKEN(t) total[t] = P::template dot_scaled<kCode>(dot[t], w.scale(b));
    else EACH_TOKEN(t) total[t] = P::template dot_sum<kCode>(dot[t]);
  }
}

/// The first n_blocks 32-blocks of 256 columns times kNT tokens, added to sums.
template <class P, class Format, int kNT>
NOINLINE void multiply_expanded(const Expanded<P>& w, int n_blocks, Acts act, typename P::F32* sums) {
  using F32 = typename P::F32;
  constexpr bool kScaledAtEnd = Format::kLayout.block_cols == 256;
  F32 sum[kNT];
  if constexpr (Format::kExpansion.mins) {
    EACH_TOKEN(t) sum[t] = P::zero();
    _Pragma("GCC unroll 1") for (int b = 0; b < 8; ++b) {
      const F32& m = w.min(b);
      EACH_TOKEN(t) sum[t] = P::fma(m, P::splat(act[t].sum[b]), sum[t]);
    }
    EACH_TOKEN(t) sums[t] = P::fnma(w.d_min(), sum[t], sums[t]);
  }
  EACH_TOKEN(t) sum[t] = kScaledAtEnd ? P::zero() : sums[t];
  _Pragma("GCC unroll 1") for (int b = 0; b < n_blocks; ++b) {
    typename P::Total total[kNT];
    sum_block<P, Format>(w, act, b, total);
    EACH_TOKEN(t) {
      const F32 scale = P::splat(act[t].scale[b]);
      if constexpr (Format::kExpansion.integer_scales == 0) sum[t] = P::fma(P::to_f32(total[t]), P::mul(w.d(b), scale), sum[t]);
      else sum[t] = P::fma(P::to_f32(total[t]), scale, sum[t]);
    }
  }
  EACH_TOKEN(t) sums[t] = kScaledAtEnd ? P::fma(w.d_of_all(), sum[t], sums[t]) : sum[t];
}

/// Weights that come next: they arrive while others are multiplied. The processor itself sees no stream in weights that wait for
/// all tokens.
struct ComingWeights {
  const uint8_t* p;
  const uint8_t* end;
  ptrdiff_t bytes_per_token;
  /// Asks for the share of n_tokens.
  void ask(int n_tokens) {
    for (const uint8_t* until = p + bytes_per_token * n_tokens; p < until && p < end; p += 64) prefetch_here(p);
  }
};

/// Tokens first .. last - 1 of those that `act` and `sums` begin with.
template <class P, class Format, int kNT>
void multiply_tokens(const Expanded<P>& w, int n_blocks, Acts act, int first, int last, ComingWeights coming,
                     typename P::F32* sums) {
  for (; last - first >= kNT; first += kNT) {
    coming.ask(kNT);
    // The blocks of the next tile lie far apart, each too short for the processor to see a stream.
    for (int t = first + kNT; t < first + 2 * kNT && t < last; ++t)
      for (size_t i = 0; i < sizeof(ActBlock); i += 64) __builtin_prefetch(act[t].q + i);
    multiply_expanded<P, Format, kNT>(w, n_blocks, Acts{act.first + first * act.stride, act.stride}, sums + first);
  }
  if constexpr (kNT > 1) multiply_tokens<P, Format, kNT / 2>(w, n_blocks, act, first, last, coming, sums);
}

/// Tokens first .. last - 1 of one panel, at most kUnpackTokens.
template <class P, class Format> void multiply_panel_expanded(const MulMatArgs& args, int panel, int first, int last) {
  constexpr int kBlocksAtOnce = 256 / Format::kLayout.block_cols;
  constexpr int kBytesAtOnce = kBlocksAtOnce * (Format::kLayout.header_bytes + Format::kLayout.plane_bytes);
  const uint8_t* weights = args.panels + static_cast<size_t>(panel) * panel_size(Format::kLayout, args.n_cols);
  const int n_rows = args.n_rows - panel * kPanelRows, n_blocks = args.n_cols / Format::kLayout.block_cols;
  Acts act{args.act + static_cast<size_t>(first) * args.act_stride, static_cast<ptrdiff_t>(args.act_stride)};
  Expanded<P> w;
  typename P::F32 sums[kUnpackTokens];
  for (int t = 0; t < last - first; ++t) sums[t] = P::zero();
  for (int block = 0; block < n_blocks; block += kBlocksAtOnce, ++act.first) {
    const int n_here = n_blocks - block < kBlocksAtOnce ? n_blocks - block : kBlocksAtOnce;
    expand_blocks<P, Format>(weights, block, n_here, w);
    const uint8_t* next = weights + panel_size(Format::kLayout, (block + n_here) * Format::kLayout.block_cols);
    const ComingWeights coming{next, args.in_cache ? next : next + kBytesAtOnce, kBytesAtOnce / (last - first) + 1};
    multiply_tokens<P, Format, P::kExpandedTileTokens>(w, kBlocksAtOnce == 1 ? 8 : n_here, act, 0, last - first, coming, sums);
  }
  for (int t = first; t < last; ++t) {
    float* out = args.out + static_cast<size_t>(t) * args.out_stride + panel * kPanelRows;
    const auto row = P::canonical_nan(sums[t - first]);
    if (n_rows >= kPanelRows) P::store(out, row);
    else P::store_first(out, row, n_rows);
  }
}

/// mul_mat of formats that can be expanded, which pays from eight tokens on.
template <class P, class Format> void mul_mat_expanded(const MulMatArgs& args) {
  if (args.n_tokens < 8) return mul_mat<P, Format>(args);
  constexpr int kNT = P::kExpandedTileTokens;
  const int n_passes = (args.n_tokens + kUnpackTokens - 1) / kUnpackTokens; // of nearly equal size
  const int step = ((args.n_tokens + n_passes - 1) / n_passes + kNT - 1) / kNT * kNT;
  for (int first = 0; first < args.n_tokens; first += step) {
    const int last = args.n_tokens - first > step ? first + step : args.n_tokens;
    for (int panel = args.first_panel; panel < args.last_panel; ++panel) multiply_panel_expanded<P, Format>(args, panel, first, last);
  }
}

/// Formats that can be expanded, on policies that do it; codes that are bytes as they are only where kExpandsBytes says so.
template <class P, class Format>
concept Expands = requires { P::kExpandedTileTokens; Format::kExpansion; } &&
                  (P::kExpandsBytes || Format::kLayout.plane_bytes != kPanelRows * Format::kLayout.block_cols);

template <class P, class Format>
  requires Expands<P, Format>
constexpr MulMat kMulMat<P, Format> = mul_mat_expanded<P, Format>;

} // namespace
} // namespace mote::kernels

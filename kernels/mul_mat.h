// Matrix times tokens, for every format: panels, tiles of tokens, and what is left over. Included by the ISA units only.
#pragma once
#include "kernels/formats/floats.h"
#include "kernels/formats/format.h"
#include "kernels/table.h"

namespace mote::kernels {
namespace {

/// One panel times kNT tokens. out: [kNT] rows of out_stride floats, 16 written in each. Lines: const uint8_t* or LinesAhead.
template <class P, class Format, int kNT, class Lines>
NOINLINE void multiply_blocks(Lines panel, int n_blocks, Acts act, float* out, size_t out_stride) {
  constexpr FormatLayout kLayout = Format::kLayout;
  constexpr int kHeadersInLine = kLayout.header_bytes > 0 ? 64 / kLayout.header_bytes : 1;
  typename P::F32 acc[kNT];
  EACH_TOKEN(t) acc[t] = P::zero();
  Lines p = panel;
  const uint8_t* header = nullptr;
  for (int b = 0; b < n_blocks; ++b) {
    if (b % kHeadersInLine == 0) {
      header = line_with_hint(p);
      p = p + 64;
    } else {
      header += kLayout.header_bytes;
    }
    const Acts here{act.first + b * kLayout.block_cols / 256, act.stride};
    Format::template multiply<P>(header, p, here, b % (256 / kLayout.block_cols), acc);
    p = p + kLayout.plane_bytes;
  }
  EACH_TOKEN(t) P::store(out + static_cast<size_t>(t) * out_stride, P::canonical_nan(acc[t]));
}

/// One tile: kNT tokens from `token` on.
template <class P, class Format, int kNT, class Lines>
INLINE inline void multiply_tile(const MulMatArgs& args, Lines panel, int token, float* out, size_t out_stride) {
  if constexpr (Format::kLayout.block_cols == 1) {
    multiply_floats<P, Format, kNT>(panel, args.n_cols, args.x + static_cast<size_t>(token) * args.x_stride,
                                    static_cast<ptrdiff_t>(args.x_stride), out, out_stride);
  } else {
    const Acts act{args.act + static_cast<size_t>(token) * args.act_stride, static_cast<ptrdiff_t>(args.act_stride)};
    multiply_blocks<P, Format, kNT>(panel, args.n_cols / Format::kLayout.block_cols, act, out, out_stride);
  }
}

/// Tokens [first, last) of one panel: as many tiles of kNT as fit, the rest in smaller ones. in_cache: the panel, as in args or
/// because a tile has read it.
template <class P, class Format, int kNT>
void multiply_panel(const MulMatArgs& args, int panel, int first, int last, bool in_cache) {
  constexpr bool kFloats = Format::kLayout.block_cols == 1;
  constexpr int kMostTokens = kFloats ? P::kFloatTileTokens : P::kTileTokens;
  constexpr bool kOneFmaPerLine = kNT == 1 && kFloats && Format::kLayout.plane_bytes == 64; // F32: reads far enough ahead
  constexpr bool kAsksAhead = requires(LinesAhead lines) { P::load_bytes(lines); } && !kOneFmaPerLine;
  const size_t bytes = panel_size(Format::kLayout, args.n_cols);
  const uint8_t* weights = args.panels + static_cast<size_t>(panel) * bytes;
  const int n_rows = args.n_rows - panel * kPanelRows;
  const bool whole = n_rows >= kPanelRows;
  for (; last - first >= kNT; first += kNT, in_cache = true) {
    float sixteen[kNT * kPanelRows]; // of a panel with fewer rows
    float* out = args.out + static_cast<size_t>(first) * args.out_stride + panel * kPanelRows;
    const auto multiply = [&](auto lines) INLINE {
      multiply_tile<P, Format, kNT>(args, lines, first, whole ? out : sixteen, whole ? args.out_stride : kPanelRows);
    };
    if constexpr (!kAsksAhead) multiply(weights);
    else if (!in_cache) multiply(lines_ahead(args.panels, bytes, panel));
    else if constexpr (kNT == kMostTokens) multiply(weights);
    else multiply(lines_here(weights));
    if (whole) continue;
    for (int t = 0; t < kNT; ++t, out += args.out_stride)
      for (int row = 0; row < n_rows; ++row) out[row] = sixteen[t * kPanelRows + row];
  }
  if constexpr (kNT > 1) multiply_panel<P, Format, kNT / 2>(args, panel, first, last, in_cache);
}

/// All panels with as many tokens at once as leave their activations in the second-level cache.
template <class P, class Format>
void mul_mat(const MulMatArgs& args) {
  constexpr bool kFloats = Format::kLayout.block_cols == 1;
  constexpr int kNT = kFloats ? P::kFloatTileTokens : P::kTileTokens;
  constexpr size_t kActBudget = 512 << 10; // bytes
  const size_t token_bytes = kFloats ? sizeof(float) * static_cast<size_t>(args.n_cols)
                                     : sizeof(ActBlock) * static_cast<size_t>(act_blocks(args.n_cols));
  const int fit = static_cast<int>(kActBudget / token_bytes) / kNT * kNT;
  const int step = fit > kNT ? fit : kNT;
  for (int first = 0; first < args.n_tokens; first += step) {
    const int last = args.n_tokens - first > step ? first + step : args.n_tokens;
    for (int panel = args.first_panel; panel < args.last_panel; ++panel)
      multiply_panel<P, Format, kNT>(args, panel, first, last, args.in_cache);
  }
}

/// What a policy multiplies a format with. mul_mat_expanded.h and mul_mat_i8mm.h know better ways for some.
template <class P, class Format> constexpr MulMat kMulMat = mul_mat<P, Format>;

} // namespace
} // namespace mote::kernels

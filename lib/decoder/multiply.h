/// Parts of the product of a weight matrix and some tokens.
#pragma once
#include "kernels/pack.h"
#include "lib/decoder/buffers.h"
#include "lib/decoder/plan.h"
#include "lib/weights/weights.h"

namespace mote::decoder {

inline int panel_count(const weights::Linear& linear) { return kernels::panel_count(linear.weight.n_rows); }

/// Rows of the matrix in some panels.
inline Range rows_of(Range panels, const weights::Linear& linear) {
  return {panels.first * kernels::kPanelRows, std::min(panels.last * kernels::kPanelRows, linear.weight.n_rows)};
}

/// Panels of linear(in), bias included, for some rows of in. out: element (rows.first, first row of the panels).
void multiply(const kernels::KernelTable& kernels, const weights::Linear& linear, const Rows& in, Range rows, Range panels,
              float* out, std::size_t out_stride);

/// How many tokens to take through several panels at a time: kernels::kUnpackTokens, a multiple of it while their inputs
/// stay in the second-level cache.
int tile_tokens(const Rows& in);

/// How the first half of an FFN is cut: by units of 32 outputs, which are quantized together.
inline constexpr int kFfnUnitPanels = 2;
inline int ffn_units(const weights::Linear& up) { return (panel_count(up) + kFfnUnitPanels - 1) / kFfnUnitPanels; }
inline Range ffn_panels(Range units, const weights::Linear& up) {
  return {units.first * kFfnUnitPanels, std::min(units.last * kFfnUnitPanels, panel_count(up))};
}
/// The most units to take at once: their results for all tokens, or for some of many, fit the scratch memory of a thread.
inline int ffn_most_units(int n_tokens) {
  return std::max(8, kFfnTileFloats / (kFfnUnitPanels * kernels::kPanelRows * n_tokens));
}

} // namespace mote::decoder

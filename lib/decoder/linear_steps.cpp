// Steps that multiply by weight matrices. A panel of 16 outputs is the unit of work; no thread shares a sum with another.
#include <algorithm>

#include "lib/decoder/multiply.h"
#include "lib/decoder/steps.h"
#include "quant/quant.h"

namespace mote::decoder {

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

} // namespace

void multiply(const kernels::KernelTable& table, const weights::Linear& linear, const Rows& in, Range rows, Range panels,
              float* out, std::size_t out_stride) {
  const weights::Matrix& w = linear.weight;
  const Range outputs = rows_of(panels, linear);
  kernels::MulMatArgs args{};
  args.panels = reinterpret_cast<const std::uint8_t*>(w.panels) + size(panels.first) * kernels::panel_bytes(w.type, w.n_cols);
  args.n_rows = w.n_rows - outputs.first;
  args.n_cols = w.n_cols;
  args.last_panel = panels.size();
  args.n_tokens = rows.size();
  if (linear.takes_floats()) {
    args.x = in.x + size(rows.first) * size(in.n_cols);
    args.x_stride = size(in.n_cols);
  } else {
    args.act = in.act + size(rows.first) * in.act_stride();
    args.act_stride = in.act_stride();
  }
  args.out = out;
  args.out_stride = out_stride;
  table.mul_mat[quant::type_index(w.type)](args);
  if (!linear.bias) return;
  for (int t = 0; t < rows.size(); ++t) table.add(1, linear.bias + outputs.first, outputs.size(), out + size(t) * out_stride);
}

int tile_tokens(const Rows& in) {
  constexpr std::size_t kBytes = 256 << 10; // a part of the smallest caches that matter, beside weights and results
  const std::size_t row = in.act_stride() * sizeof(kernels::ActBlock);
  return std::max(1, static_cast<int>(kBytes / row) / kernels::kUnpackTokens) * kernels::kUnpackTokens;
}

void LinearStep::run(const Pass& pass, Items items) const noexcept {
  const TokenBlocks blocks(count_of(o_.scope, pass), items.n_threads());
  const int n_panels = panel_count(*o_.linear);
  float* out = o_.out ? o_.out : pass.logits;
  Range tokens{}, panels{};
  while (blocks.take(items, n_panels, n_panels, tokens, panels)) {
    const Range outputs = rows_of(panels, *o_.linear);
    const int row = o_.in.row(tokens.first, blocks.n_tokens, items.thread());
    const std::size_t at = size(tokens.first) * o_.out_stride + size(outputs.first);
    multiply(*pass.kernels, *o_.linear, o_.in, {row, row + tokens.size()}, panels, out + at, o_.out_stride);
    if (!o_.residual && o_.scale == 1 && o_.softcap == 0) continue;
    for (int t = 0; t < tokens.size(); ++t) {
      const std::size_t to = at + size(t) * o_.out_stride;
      if (o_.residual) {
        pass.kernels->add(o_.scale, out + to, outputs.size(), o_.residual + to);
      } else {
        if (o_.scale != 1) pass.kernels->scale(o_.scale, outputs.size(), out + to);
        if (o_.softcap != 0) pass.kernels->softcap(o_.softcap, outputs.size(), out + to);
      }
    }
  }
}

void FfnInStep::run(const Pass& pass, Items items) const noexcept {
  const TokenBlocks blocks(pass.n_tokens(), items.n_threads());
  const int n_units = ffn_units(*o_.up), most_units = ffn_most_units(pass.n_tokens());
  Range tokens{}, units{};
  while (blocks.take(items, n_units, most_units, tokens, units)) {
    const Range panels = ffn_panels(units, *o_.up);
    const int n_fit = kFfnTileFloats / (panels.size() * kernels::kPanelRows), n_tile = std::min(n_fit, tile_tokens(o_.in));
    for (int token = tokens.first; token < tokens.last; token += n_tile) {
      const int row = o_.in.row(token, pass.n_tokens(), items.thread()), n = std::min(n_tile, tokens.last - token);
      run_tile(*pass.kernels, o_, items.thread(), {row, row + n}, token, panels);
    }
  }
}

void FfnInStep::run_tile(const kernels::KernelTable& table, const Operands& o, int thread, Range in_rows, int first_out_row,
                         Range panels) noexcept {
  // The tile's results stay in the scratch memory of the thread until they are quantized.
  const Range outputs = rows_of(panels, *o.up);
  const int n = outputs.size();
  const auto activation = static_cast<std::size_t>(o.activation);
  float* up = o.scratch + size(thread) * o.scratch_stride;
  float* gate = o.gate ? up + kFfnTileFloats : nullptr;
  if (gate) multiply(table, *o.gate, o.in, in_rows, panels, gate, size(n));
  multiply(table, *o.up, o.in, in_rows, panels, up, size(n));
  const auto adapt = [&](const weights::Linear* adapter, float* to) {
    float* products = o.scratch + size(thread) * o.scratch_stride + 2 * kFfnTileFloats;
    multiply(table, *adapter, o.adapter_in, in_rows, panels, products, size(n));
    table.add(1, products, in_rows.size() * n, to);
  };
  if (o.gate_adapter) adapt(o.gate_adapter, gate);
  if (o.up_adapter) adapt(o.up_adapter, up);
  for (int t = 0; t < in_rows.size(); ++t) {
    const std::size_t at = size(t) * size(n), row = size(first_out_row + t);
    float* inner = gate ? gate + at : up + at;
    if (gate) table.gate[activation](up + at, n, inner);
    else table.activate[activation](n, inner);
    if (o.quantize) table.quantize_row(inner, outputs.first, n, o.out.act + row * o.out.act_stride());
    else std::copy(inner, inner + n, o.out.x + row * size(o.out.n_cols) + outputs.first);
  }
}

} // namespace mote::decoder

// Steps that multiply by weight matrices. A panel of 16 outputs is the unit of work; no thread shares a sum with another.
#include <algorithm>

#include "kernels/pack.h"
#include "lib/decoder/steps.h"
#include "quant/quant.h"

namespace mote::decoder {

namespace {

using weights::Linear;

int panel_count(const Linear& linear) { return kernels::panel_count(linear.weight.n_rows); }

/// Panels [first, last) of linear(in), bias included, for n_tokens rows from row first_token on.
void multiply(const kernels::KernelTable& table, const Linear& linear, const Rows& in, int n_tokens, int first, int last,
              float* out, std::size_t out_stride) {
  const weights::Matrix& w = linear.weight;
  kernels::MulMatArgs args{};
  args.panels = reinterpret_cast<const std::uint8_t*>(w.panels);
  args.n_rows = w.n_rows;
  args.n_cols = w.n_cols;
  args.first_panel = first;
  args.last_panel = last;
  args.n_tokens = n_tokens;
  args.act = in.act;
  args.act_stride = in.act_stride();
  args.x = in.x;
  args.x_stride = static_cast<std::size_t>(in.n_cols);
  args.out = out;
  args.out_stride = out_stride;
  table.mul_mat[quant::type_index(w.type)](args);
  if (!linear.bias) return;
  const int row = first * kernels::kPanelRows, n = std::min(last * kernels::kPanelRows, w.n_rows) - row;
  for (int t = 0; t < n_tokens; ++t) table.add(linear.bias + row, n, out + static_cast<std::size_t>(t) * out_stride + row);
}

} // namespace

void LinearStep::run(const Pass& pass, Items items) const noexcept {
  const int n_tokens = count_of(o_.scope, pass);
  float* out = o_.out ? o_.out : pass.logits;
  int n_panels = 0;
  for (const Linear* part : o_.parts) n_panels += panel_count(*part);
  int first, last;
  while (items.take(n_panels, items.chunk_of(n_panels), first, last)) {
    int part_first = 0; // panel where the part begins
    float* part_out = out;
    for (const Linear* part : o_.parts) {
      const int n = panel_count(*part), begin = std::max(first - part_first, 0), end = std::min(last - part_first, n);
      if (begin < end) multiply(*pass.kernels, *part, o_.in, n_tokens, begin, end, part_out, o_.out_stride);
      part_first += n;
      part_out += part->weight.n_rows;
    }
    if (!o_.residual) continue;
    const int row = first * kernels::kPanelRows, n = std::min(last * kernels::kPanelRows, o_.parts[0]->weight.n_rows) - row;
    for (int t = 0; t < n_tokens; ++t) {
      const std::size_t at = static_cast<std::size_t>(t) * o_.out_stride + static_cast<std::size_t>(row);
      pass.kernels->add(out + at, n, o_.residual + at);
    }
  }
}

void FfnInStep::run(const Pass& pass, Items items) const noexcept {
  const kernels::KernelTable& table = *pass.kernels;
  const int n_panels = panel_count(*o_.up), d_ff = o_.up->weight.n_rows;
  const auto stride = static_cast<std::size_t>(d_ff);
  const auto activation = static_cast<std::size_t>(o_.activation);
  int first, last;
  while (items.take(n_panels, items.chunk_of(n_panels), first, last)) {
    if (o_.gate) multiply(table, *o_.gate, o_.in, pass.n_tokens(), first, last, o_.out, stride);
    float* up = o_.gate ? o_.up_out : o_.out;
    multiply(table, *o_.up, o_.in, pass.n_tokens(), first, last, up, stride);
    const int row = first * kernels::kPanelRows, n = std::min(last * kernels::kPanelRows, d_ff) - row;
    for (int t = 0; t < pass.n_tokens(); ++t) {
      const std::size_t at = static_cast<std::size_t>(t) * stride + static_cast<std::size_t>(row);
      if (o_.gate) table.gate[activation](up + at, n, o_.out + at);
      else table.activate[activation](n, o_.out + at);
    }
  }
}

} // namespace mote::decoder

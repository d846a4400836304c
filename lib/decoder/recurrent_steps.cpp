#include "lib/decoder/recurrent_steps.h"

#include <algorithm>

#include "lib/decoder/multiply.h"

namespace mote::decoder {

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

constexpr int kUnit = 32; // channels that are quantized together, two panels

/// Calls fn with ranges of channels that are whole units.
template <class Fn> void take_channels(Items& items, int n_channels, Fn fn) {
  const int n_units = (n_channels + kUnit - 1) / kUnit;
  Range units{};
  while (items.take(n_units, n_units, units.first, units.last))
    fn(Range{units.first * kUnit, std::min(units.last * kUnit, n_channels)});
}

std::size_t panel_of(int channel) { return size(channel / kernels::kPanelRows); }
std::size_t panels_of(int n_channels) { return size((n_channels + kernels::kPanelRows - 1) / kernels::kPanelRows); }

/// The numbers that the panels of some channels keep from pass to pass: n for each channel.
float* begin_state(const Pass& pass, float* state, Range channels, int n) noexcept {
  const std::size_t panel_size = size(n) * size(kernels::kPanelRows);
  float* const first = state + panel_of(channels.first) * panel_size;
  if (pass.first_pos == 0) std::fill_n(first, panels_of(channels.size()) * panel_size, 0.0f);
  return first;
}

void quantize(const Pass& pass, const Rows& rows, Range cols) noexcept {
  for (int t = 0; t < pass.n_tokens(); ++t)
    pass.kernels->quantize_row(rows.x + size(t) * size(rows.n_cols) + cols.first, cols.first, cols.size(),
                               rows.act + size(t) * rows.act_stride());
}

} // namespace

void ConvStep::run(const Pass& pass, Items items) const noexcept {
  const kernels::KernelTable& table = *pass.kernels;
  take_channels(items, o_.out.n_cols, [&](Range channels) {
    const int n = channels.size();
    kernels::ConvArgs args{};
    args.x = o_.x + channels.first;
    args.x_stride = o_.x_stride;
    args.weight = o_.taps.weight + panel_of(channels.first) * size(o_.d_conv * kernels::kPanelRows);
    args.bias = o_.taps.bias ? o_.taps.bias + channels.first : nullptr;
    args.past = begin_state(pass, o_.past, channels, o_.d_conv - 1);
    args.d_conv = o_.d_conv;
    args.n_channels = n;
    args.n_tokens = pass.n_tokens();
    args.out = o_.out.x + channels.first;
    args.out_stride = size(o_.out.n_cols);
    table.causal_conv(args);
    if (o_.activation)
      for (int t = 0; t < pass.n_tokens(); ++t)
        table.activate[static_cast<std::size_t>(*o_.activation)](n, args.out + size(t) * args.out_stride);
    if (o_.quantize) quantize(pass, o_.out, channels);
  });
}

void MambaSplitStep::split(const Pass& pass, int token, int row) const noexcept {
  const int dt_rank = o_.spec->dt_rank, d_state = o_.spec->d_state;
  const float* x = o_.x + size(token) * size(dt_rank + 2 * d_state);
  float* dt = o_.dt.x + size(row) * size(dt_rank);
  float* bc = o_.bc.x + size(row) * size(2 * d_state);
  if (o_.spec->dt_b_c_norms) {
    pass.kernels->rms_norm(x, o_.dt_norm.weight, o_.eps, dt_rank, dt);
    pass.kernels->rms_norm(x + dt_rank, o_.b_norm.weight, o_.eps, d_state, bc);
    pass.kernels->rms_norm(x + dt_rank + d_state, o_.c_norm.weight, o_.eps, d_state, bc + d_state);
  } else {
    std::copy_n(x, dt_rank, dt);
    std::copy_n(x + dt_rank, 2 * d_state, bc);
  }
  if (o_.quantize) pass.kernels->quantize_row(dt, 0, dt_rank, o_.dt.act + size(row) * o_.dt.act_stride());
}

void MambaSplitStep::run(const Pass& pass, Items items) const noexcept {
  if (!ends_at_barrier(pass)) return split(pass, 0, items.thread());
  int first, last;
  while (items.take(pass.n_tokens(), pass.n_tokens(), first, last))
    for (int token = first; token < last; ++token) split(pass, token, token);
}

void MambaScanStep::run(const Pass& pass, Items items) const noexcept {
  const int d_inner = o_.spec->d_inner, d_state = o_.spec->d_state, n_tokens = pass.n_tokens();
  const int row = o_.dt_in.row(0, n_tokens, items.thread());
  const std::size_t stride = size(d_inner), panel_size = size(d_state * kernels::kPanelRows);
  take_channels(items, d_inner, [&](Range range) {
    const Range panels{range.first / kernels::kPanelRows, (range.last + kernels::kPanelRows - 1) / kernels::kPanelRows};
    multiply(*pass.kernels, *o_.dt, o_.dt_in, {row, row + n_tokens}, panels, o_.steps + range.first, stride);
    // a unit at a time, so that its state stays in the first-level cache
    for (int first = range.first; first < range.last; first += kUnit) {
      const Range channels{first, std::min(first + kUnit, range.last)};
      kernels::MambaScanArgs args{};
      args.u = o_.u + first;
      args.dt = o_.steps + first;
      args.u_stride = args.dt_stride = args.out_stride = stride;
      args.z = o_.z + first;
      args.z_stride = o_.z_stride;
      args.b = o_.bc.x + size(row) * size(2 * d_state);
      args.c = args.b + d_state;
      args.bc_stride = size(2 * d_state);
      args.a = o_.a + panel_of(first) * panel_size;
      args.d = o_.d + first;
      args.state = begin_state(pass, o_.state, channels, d_state);
      args.d_state = d_state;
      args.n_channels = channels.size();
      args.n_tokens = n_tokens;
      args.out = o_.out.x + first;
      pass.kernels->mamba_scan(args);
    }
    if (o_.quantize) quantize(pass, o_.out, range);
  });
}

void Mamba2ScanStep::run(const Pass& pass, Items items) const noexcept {
  const Mamba2Spec& m = *o_.spec;
  const int d_inner = m.d_inner(), heads_in_group = m.n_heads / m.n_groups;
  const std::size_t state_size = panels_of(m.head_dim) * size(m.d_state * kernels::kPanelRows);
  int head, last;
  while (items.take(m.n_heads, 1, head, last)) {
    kernels::Mamba2ScanArgs args{};
    args.x = o_.xbc + head * m.head_dim;
    args.b = o_.xbc + d_inner + head / heads_in_group * m.d_state;
    args.c = args.b + m.n_groups * m.d_state;
    args.x_stride = args.bc_stride = size(m.n_channels());
    args.z = o_.in + head * m.head_dim;
    args.dt = o_.in + d_inner + m.n_channels() + head;
    args.z_stride = args.dt_stride = size(d_inner + m.n_channels() + m.n_heads);
    args.dt_bias = o_.dt_bias[head];
    args.a = o_.a[head];
    args.d = o_.d[head];
    args.state = begin_state(pass, o_.state + size(head) * state_size, {0, m.head_dim}, m.d_state);
    args.d_state = m.d_state;
    args.head_dim = m.head_dim;
    args.n_tokens = pass.n_tokens();
    args.out = o_.out + head * m.head_dim;
    args.out_stride = size(d_inner);
    pass.kernels->mamba2_scan(args);
  }
}

void ShortConvStep::run(const Pass& pass, Items items) const noexcept {
  const kernels::KernelTable& table = *pass.kernels;
  const int d = o_.out.n_cols;
  const std::size_t stride = 3 * size(d);
  take_channels(items, d, [&](Range channels) {
    const int n = channels.size();
    float* b = o_.bcx + channels.first;
    float* x = b + 2 * d;
    for (int t = 0; t < pass.n_tokens(); ++t) table.multiply(b + size(t) * stride, n, x + size(t) * stride);
    kernels::ConvArgs args{};
    args.x = x;
    args.x_stride = stride;
    args.weight = o_.weight + panel_of(channels.first) * size(o_.d_conv * kernels::kPanelRows);
    args.past = begin_state(pass, o_.past, channels, o_.d_conv - 1);
    args.d_conv = o_.d_conv;
    args.n_channels = n;
    args.n_tokens = pass.n_tokens();
    args.out = o_.out.x + channels.first;
    args.out_stride = size(d);
    table.causal_conv(args);
    for (int t = 0; t < pass.n_tokens(); ++t) table.multiply(b + d + size(t) * stride, n, args.out + size(t) * args.out_stride);
    if (o_.quantize) quantize(pass, o_.out, channels);
  });
}

void RgLruSplitStep::split(const Pass& pass, int token, int row) const noexcept {
  const int width = o_.blocks[0].n_cols;
  const float* u = o_.u + size(token) * o_.blocks.size() * size(width);
  for (const Rows& block : o_.blocks) {
    float* x = block.x + size(row) * size(width);
    std::copy_n(u, width, x);
    if (o_.quantize) pass.kernels->quantize_row(x, 0, width, block.act + size(row) * block.act_stride());
    u += width;
  }
}

void RgLruSplitStep::run(const Pass& pass, Items items) const noexcept {
  if (!ends_at_barrier(pass)) return split(pass, 0, items.thread());
  int first, last;
  while (items.take(pass.n_tokens(), pass.n_tokens(), first, last))
    for (int token = first; token < last; ++token) split(pass, token, token);
}

void RgLruStep::run_panel(const Pass& pass, int thread, int block, int panel) const noexcept {
  const Rows& in = o_.blocks[size(block)];
  const std::size_t stride = size(o_.spec->d_inner);
  const int first = panel * kernels::kPanelRows, channel = block * in.n_cols + first, n_tokens = pass.n_tokens();
  const int row = in.row(0, n_tokens, thread), n = std::min(kernels::kPanelRows, in.n_cols - first);
  for (const auto& [gate, out] : {std::pair{o_.input_gate, o_.input_gates}, {o_.recurrence_gate, o_.recurrence_gates}})
    multiply(*pass.kernels, gate->part(block), in, {row, row + n_tokens}, {panel, panel + 1}, out + channel, stride);
  kernels::RgLruArgs args{};
  args.u = o_.u + channel;
  args.input_gate = o_.input_gates + channel;
  args.recurrence_gate = o_.recurrence_gates + channel;
  args.input_bias = o_.input_gate->bias + channel;
  args.recurrence_bias = o_.recurrence_gate->bias + channel;
  args.u_stride = args.gate_stride = args.out_stride = stride;
  args.a = o_.a + channel;
  args.y = o_.y + channel;
  args.y_stride = o_.y_stride;
  args.state =
      begin_state(pass, o_.state + size(block) * panels_of(in.n_cols) * size(kernels::kPanelRows), {first, first + n}, 1);
  args.first_pos = pass.first_pos;
  args.n_channels = n;
  args.n_tokens = n_tokens;
  args.out = o_.out + channel;
  pass.kernels->rg_lru(args);
}

void RgLruStep::run(const Pass& pass, Items items) const noexcept {
  const int n_panels = static_cast<int>(panels_of(o_.blocks[0].n_cols));
  int item, end;
  while (items.take(o_.spec->n_blocks * n_panels, 1, item, end))
    run_panel(pass, items.thread(), item / n_panels, item % n_panels);
}

} // namespace mote::decoder

#include "lib/decoder/latent_steps.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "lib/decoder/multiply.h"

namespace mote::decoder {

namespace {

constexpr int kTokenTile = 16, kQuantized = 32;

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// What some tokens do with a head's matrix. scratch: for the quantized inputs of a tile.
void multiply_head(const kernels::KernelTable& table, const weights::Linear& matrix, const float* x, std::size_t x_stride,
                   int n_tokens, float* out, std::size_t out_stride, float* scratch) {
  static_assert(kTokenTile * kernels::act_blocks(1024) * sizeof(kernels::ActBlock) <= 2 * kFfnTileFloats * sizeof(float));
  Rows in;
  if (matrix.takes_floats()) {
    in.n_cols = static_cast<int>(x_stride);
    in.x = const_cast<float*>(x); // only read
  } else {
    in.n_cols = matrix.weight.n_cols;
    in.act = reinterpret_cast<kernels::ActBlock*>(scratch);
    for (int t = 0; t < n_tokens; ++t)
      table.quantize_row(x + size(t) * x_stride, 0, in.n_cols, in.act + size(t) * in.act_stride());
  }
  multiply(table, matrix, in, {0, n_tokens}, {0, panel_count(matrix)}, out, out_stride);
}

int tile_count(int n_tokens) { return (n_tokens + kTokenTile - 1) / kTokenTile; }
Range tile(int i, int n_tokens) { return {i * kTokenTile, std::min((i + 1) * kTokenTile, n_tokens)}; }

} // namespace

void LatentQueryStep::rotate(const kernels::KernelTable& table, int token, float* x) const noexcept {
  const std::size_t at = size(token) * size(o_.rotation->table.n_pairs());
  const auto rope = o_.spec->rope->style == RopeStyle::halves ? table.rope_halves : table.rope_interleaved;
  rope(o_.rotation->cos + at, o_.rotation->sin + at, o_.spec->rope->dims, x);
}

void LatentQueryStep::store(const Pass& pass, Range tokens) const noexcept {
  const LatentSpec& latent = *o_.spec->latent;
  const kernels::KernelTable& table = *pass.kernels;
  for (int t = tokens.first; t < tokens.last; ++t) {
    float* x = o_.kv + size(t) * size(width());
    table.rms_norm(x, o_.kv_norm.weight, latent.norm.eps, latent.kv_rank, x);
    rotate(table, t, x + latent.kv_rank);
    const std::size_t at = size(pass.first_pos + t) * size(o_.cache.v_stride);
    if (o_.cache.type == TensorType::F16) table.f16_from_f32(x, width(), reinterpret_cast<std::uint16_t*>(o_.cache.v) + at);
    else std::copy(x, x + width(), reinterpret_cast<float*>(o_.cache.v) + at);
  }
}

void LatentQueryStep::query(const Pass& pass, int thread, Range tokens, int head) const noexcept {
  const AttentionSpec& a = *o_.spec;
  const int kv_rank = a.latent->kv_rank, nope = a.head_dim - a.rope->dims;
  const std::size_t q_stride = size(a.n_heads * a.head_dim), stride = size((a.n_heads + 2) * width());
  float* q = o_.q + size(tokens.first) * q_stride + size(head * a.head_dim);
  float* out = o_.queries + size(tokens.first) * stride + size(head * width());
  multiply_head(*pass.kernels, o_.k_b->part(head), q, q_stride, tokens.size(), out, stride,
                o_.scratch + size(thread) * o_.scratch_stride);
  for (int t = tokens.first; t < tokens.last; ++t, q += q_stride, out += stride) {
    rotate(*pass.kernels, t, q + nope);
    std::copy(q + nope, q + a.head_dim, out + kv_rank);
  }
}

void LatentQueryStep::run(const Pass& pass, Items items) const noexcept {
  const int n_heads = o_.spec->n_heads, n_tokens = pass.n_tokens();
  int item, end;
  while (items.take(tile_count(n_tokens) * (n_heads + 1), 1, item, end)) {
    const Range tokens = tile(item / (n_heads + 1), n_tokens);
    if (const int head = item % (n_heads + 1); head < n_heads) query(pass, items.thread(), tokens, head);
    else store(pass, tokens);
  }
}

namespace {

/// Some rows of 16 positions, [n, stride], to [width, 16]; what lies behind the last stays.
template <class Element> void side_by_side(const Element* rows, std::size_t stride, int n, int width, Element* out) {
  for (int i = 0; i < n; ++i, rows += stride)
    for (int d = 0; d < width; ++d) out[16 * d + i] = rows[d];
}

} // namespace

void LatentKeysStep::run(const Pass& pass, Items items) const noexcept {
  const int n_positions = pass.first_pos + pass.n_tokens();
  const std::size_t stride = size(cache_.v_stride);
  int first, last;
  while (items.take((n_positions + 15) / 16, 16, first, last)) {
    for (int panel = first; panel < last; ++panel) {
      const int n = std::min(16, n_positions - 16 * panel);
      const std::size_t from = size(16 * panel) * stride, to = size(16 * panel) * size(width_);
      if (cache_.type == TensorType::F16)
        side_by_side(reinterpret_cast<const std::uint16_t*>(cache_.v) + from, stride, n, width_,
                     reinterpret_cast<std::uint16_t*>(cache_.k) + to);
      else
        side_by_side(reinterpret_cast<const float*>(cache_.v) + from, stride, n, width_, reinterpret_cast<float*>(cache_.k) + to);
    }
  }
}

void LatentValueStep::run(const Pass& pass, Items items) const noexcept {
  const AttentionSpec& a = *o_.spec;
  const int width = a.latent->kv_rank + a.rope->dims, v_dim = a.latent->v_dim, n_tokens = pass.n_tokens();
  // the fewest heads whose values are whole groups of 32 to quantize
  const int unit = o_.quantize ? kQuantized / std::gcd(kQuantized, v_dim) : 1, n_units = (a.n_heads + unit - 1) / unit;
  const std::size_t sums_stride = size(a.n_heads * width), out_stride = size(o_.out.n_cols);
  int item, end;
  while (items.take(tile_count(n_tokens) * n_units, 1, item, end)) {
    const Range tokens = tile(item / n_units, n_tokens);
    const Range heads{item % n_units * unit, std::min((item % n_units + 1) * unit, a.n_heads)};
    float* out = o_.out.x + size(tokens.first) * out_stride;
    for (int head = heads.first; head < heads.last; ++head)
      multiply_head(*pass.kernels, o_.v_b->part(head), o_.sums + size(tokens.first) * sums_stride + size(head * width),
                    sums_stride, tokens.size(), out + head * v_dim, out_stride,
                    o_.scratch + size(items.thread()) * o_.scratch_stride);
    if (!o_.quantize) continue;
    for (int t = tokens.first; t < tokens.last; ++t)
      pass.kernels->quantize_row(o_.out.x + size(t) * out_stride + size(heads.first * v_dim), heads.first * v_dim,
                                 heads.size() * v_dim, o_.out.act + size(t) * o_.out.act_stride());
  }
}

} // namespace mote::decoder

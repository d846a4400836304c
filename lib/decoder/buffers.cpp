#include "lib/decoder/buffers.h"

#include <algorithm>

#include "kernels/table.h"

namespace mote::decoder {

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

Rows take_rows(int n_rows, int n_cols, bool floats, runtime::Arena& arena) {
  Rows rows;
  rows.n_cols = n_cols;
  if (floats) rows.x = arena.take<float>(size(n_rows) * size(n_cols));
  rows.act = arena.take<kernels::ActBlock>(size(n_rows) * rows.act_stride());
  return rows;
}

} // namespace

Rotation* Buffers::find_rotation(const RopeSpec& rope) {
  const auto found = std::find(rope_specs.begin(), rope_specs.end(), rope);
  return found == rope_specs.end() ? nullptr : &rotations[static_cast<std::size_t>(found - rope_specs.begin())];
}

Buffers take_buffers(const ModelSpec& spec, const BufferSizes& sizes, runtime::Arena& arena) {
  Buffers b;
  const int n_batch = sizes.n_batch, n_chunks = (sizes.n_ctx + kernels::kAttentionChunk - 1) / kernels::kAttentionChunk;
  int qkv = 0, attended = 0, d_ff = 0, head_dim = 0, n_kv_heads = 0;
  for (const LayerSpec& layer : spec.layers) {
    if (layer.ffn) d_ff = std::max(d_ff, layer.ffn->d_ff);
    if (!layer.attention()) continue;
    const AttentionSpec& a = *layer.attention();
    qkv = std::max(qkv, (a.n_heads + 2 * a.n_kv_heads) * a.head_dim);
    attended = std::max(attended, a.n_heads * a.head_dim);
    head_dim = std::max(head_dim, a.head_dim);
    n_kv_heads = std::max(n_kv_heads, a.n_kv_heads);
    b.partials_stride =
        std::max(b.partials_stride, size(n_chunks) * size(a.n_heads / a.n_kv_heads) * kernels::attention_partial(a.head_dim));
    if (a.rope && !b.find_rotation(*a.rope)) {
      b.rope_specs.push_back(*a.rope);
      Rotation rotation{RopeTable(*a.rope, sizes.n_ctx)};
      const std::size_t n = size(n_batch) * size(rotation.table.n_pairs());
      rotation.cos = arena.take<float>(n);
      rotation.sin = arena.take<float>(n);
      b.rotations.push_back(std::move(rotation));
    }
  }
  b.residual = arena.take<float>(size(n_batch) * size(spec.d_model));
  b.normed = take_rows(std::max(n_batch, sizes.n_threads), spec.d_model, true, arena);
  b.normed.own_rows = true;
  b.qkv = arena.take<float>(size(n_batch) * size(qkv));
  b.attended = take_rows(n_batch, attended, true, arena);
  b.inner = take_rows(n_batch, d_ff, sizes.inner_floats, arena);
  b.projected = arena.take<float>(size(n_batch) * size(spec.d_model));
  b.logits = arena.take<float>(size(spec.n_vocab));
  if (sizes.n_threads > 1 && n_chunks > 1) b.partials = arena.take<float>(size(n_kv_heads) * b.partials_stride);
  b.scratch_stride = std::max(kernels::attention_scratch(head_dim), size(2 * kFfnTileFloats));
  b.scratch_stride = (b.scratch_stride + 15) / 16 * 16;
  b.scratch = arena.take<float>(size(sizes.n_threads) * b.scratch_stride);
  return b;
}

std::vector<LayerCache> take_cache(const ModelSpec& spec, int n_ctx, TensorType type, runtime::Arena& arena) {
  std::vector<LayerCache> cache;
  for (const LayerSpec& layer : spec.layers) {
    LayerCache& c = cache.emplace_back();
    if (!layer.attention()) continue;
    const AttentionSpec& a = *layer.attention();
    c.type = type;
    c.v_stride = (a.head_dim + 15) / 16 * 16;
    c.k_head_stride = (size(n_ctx) + 15) / 16 * 16 * size(a.head_dim);
    c.v_head_stride = size(n_ctx) * size(c.v_stride);
    c.k = arena.take<std::byte>(size(a.n_kv_heads) * c.k_head_stride * c.element_bytes());
    c.v = arena.take<std::byte>(size(a.n_kv_heads) * c.v_head_stride * c.element_bytes());
  }
  return cache;
}

} // namespace mote::decoder

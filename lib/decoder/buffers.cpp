#include "lib/decoder/buffers.h"

#include <algorithm>

#include "kernels/table.h"
#include "lib/decoder/multiply.h"
#include "lib/spec/visit_mixer.h"

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

/// Widths of what a recurrent mixer computes on the way, and of what it keeps.
struct RecurrentSizes {
  int in = 0, channels = 0, dt = 0, bc = 0, steps = 0, out = 0, n_blocks = 0, block = 0, gates = 0;
  std::size_t past = 0, state = 0;

  RecurrentSizes() = default;
  RecurrentSizes(const AttentionSpec&, int) {}
  RecurrentSizes(const MambaSpec& m, int)
      : in(2 * m.d_inner), channels(m.d_inner), dt(m.dt_rank), bc(2 * m.d_state), steps(m.d_inner), out(m.d_inner) {
    keep(m.d_conv, panels(m.d_inner) * size(m.d_state));
  }
  RecurrentSizes(const Mamba2Spec& m, int)
      : in(m.d_inner() + m.n_channels() + m.n_heads), channels(m.n_channels()), steps(m.d_inner()), out(m.d_inner()) {
    keep(m.d_conv, size(m.n_heads) * panels(m.head_dim) * size(m.d_state));
  }
  RecurrentSizes(const ShortConvSpec& conv, int d_model) : in(3 * d_model), channels(d_model), out(d_model) {
    keep(conv.d_conv, 0);
  }
  RecurrentSizes(const RgLruSpec& lru, int)
      : in(2 * lru.d_inner),
        channels(lru.d_inner),
        steps(lru.d_inner),
        out(lru.d_inner),
        n_blocks(lru.n_blocks),
        block(lru.d_inner / lru.n_blocks),
        gates(lru.d_inner) {
    keep(lru.d_conv, size(n_blocks) * panels(block));
  }

  void grow_to(const RecurrentSizes& o) {
    for (int RecurrentSizes::*width :
         {&RecurrentSizes::in, &RecurrentSizes::channels, &RecurrentSizes::dt, &RecurrentSizes::bc, &RecurrentSizes::steps,
          &RecurrentSizes::out, &RecurrentSizes::n_blocks, &RecurrentSizes::block, &RecurrentSizes::gates})
      this->*width = std::max(this->*width, o.*width);
  }

 private:
  static std::size_t panels(int n) { return (size(n) + 15) / 16; }
  void keep(int d_conv, std::size_t state_panels) {
    past = panels(channels) * size(d_conv - 1) * 16;
    state = state_panels * 16;
  }
};

RecurrentSizes recurrent_sizes(const LayerSpec& layer, int d_model) {
  return spec::visit_mixer(layer.mixer, [&](const auto& mixer) { return RecurrentSizes(mixer, d_model); });
}

RecurrentBuffers take_recurrent(const RecurrentSizes& widths, int n_batch, int n_threads, runtime::Arena& arena) {
  RecurrentBuffers r;
  if (widths.in == 0) return r;
  const int n_rows = std::max(n_batch, n_threads);
  r.in = arena.take<float>(size(n_batch) * size(widths.in));
  r.convolved = take_rows(n_batch, widths.channels, true, arena);
  r.selected = arena.take<float>(size(n_batch) * size(widths.dt + widths.bc));
  r.dt = take_rows(n_rows, widths.dt, true, arena);
  r.bc = take_rows(n_rows, widths.bc, true, arena);
  r.dt.own_rows = r.bc.own_rows = true;
  r.steps = arena.take<float>(size(n_batch) * size(widths.steps));
  for (int i = 0; i < widths.n_blocks; ++i) {
    r.blocks.push_back(take_rows(n_rows, widths.block, true, arena));
    r.blocks.back().own_rows = true;
  }
  for (float*& gates : r.gates) gates = arena.take<float>(size(n_batch) * size(widths.gates));
  r.out = take_rows(n_rows, widths.out, true, arena);
  return r;
}

} // namespace

Rotation* Buffers::find_rotation(const RopeSpec& rope) {
  const auto found = std::find(rope_specs.begin(), rope_specs.end(), rope);
  return found == rope_specs.end() ? nullptr : &rotations[static_cast<std::size_t>(found - rope_specs.begin())];
}

namespace {

void take_routing(const ModelSpec& spec, const BufferSizes& sizes, Buffers& b, runtime::Arena& arena) {
  int n_experts = 0, n_used = 0, d_ff = 0;
  bool shared_gate = false;
  for (const LayerSpec& layer : spec.layers) {
    if (!layer.ffn || !layer.ffn->experts) continue;
    const ExpertsSpec& experts = *layer.ffn->experts;
    n_experts = std::max(n_experts, experts.n_experts);
    n_used = std::max(n_used, experts.n_used);
    d_ff = std::max(d_ff, layer.ffn->d_ff);
    shared_gate |= experts.shared_gate;
  }
  if (n_experts == 0) return;
  const std::size_t n_batch = size(sizes.n_batch), n_slots = n_batch * size(n_used);
  Routing& r = b.routing;
  r.scores = arena.take<float>(n_batch * size(n_experts));
  r.used = arena.take<int>(n_slots);
  r.weights = arena.take<float>(n_slots);
  if (shared_gate) r.shared_weights = arena.take<float>(n_batch);
  r.n_groups = arena.take<int>(1);
  r.group_experts = arena.take<int>(size(n_experts));
  r.group_begins = arena.take<int>(size(n_experts) + 1);
  r.slot_tokens = arena.take<int>(n_slots);
  r.slot_weights = arena.take<float>(n_slots);
  r.next_slots = arena.take<int>(size(n_experts));
  b.expert_inner = take_rows(static_cast<int>(n_slots), d_ff, sizes.inner_floats, arena);
  b.gathered.n_cols = spec.d_model;
  b.n_gathered = std::min(sizes.n_batch, tile_tokens(b.gathered));
  b.gathered = take_rows(sizes.n_threads * b.n_gathered, spec.d_model, true, arena);
}

/// n_qkv: floats of a token's q, k and v.
void take_block(const ModelSpec& spec, const BufferSizes& sizes, int n_qkv, BlockBuffers& b, runtime::Arena& arena) {
  int rank = 0, qkv_rank = 0;
  bool any = false;
  for (const LayerSpec& layer : spec.layers) {
    if (!layer.block) continue;
    any = true;
    qkv_rank = std::max(qkv_rank, layer.block->qkv_rank);
    rank = std::max({rank, layer.block->ffn_rank, qkv_rank});
  }
  if (!any) return;
  const int n_rows = std::max(sizes.n_batch, sizes.n_threads);
  b.embedded = take_rows(n_rows, spec.d_model, true, arena);
  b.joined = take_rows(n_rows, 2 * spec.d_model, true, arena);
  b.reduced = arena.take<float>(size(sizes.n_batch) * size(rank));
  b.adapter = take_rows(n_rows, rank, true, arena);
  b.embedded.own_rows = b.joined.own_rows = b.adapter.own_rows = true;
  if (qkv_rank != 0) b.adapted = arena.take<float>(size(sizes.n_batch) * size(n_qkv));
  b.out = arena.take<float>(size(sizes.n_batch) * size(spec.d_model));
}

} // namespace

AttentionSpec as_cached(const AttentionSpec& spec) {
  AttentionSpec a = spec;
  if (!spec.latent) return a;
  a.n_kv_heads = 1;
  a.head_dim = spec.latent->kv_rank + spec.rope->dims;
  return a;
}

namespace {

LatentBuffers take_latent(const ModelSpec& spec, int n_batch, int n_threads, runtime::Arena& arena) {
  int q_rank = 0, q = 0, kv = 0, values = 0;
  for (const LayerSpec& layer : spec.layers) {
    const AttentionSpec* a = layer.attention();
    if (!a || !a->latent) continue;
    q_rank = std::max(q_rank, a->latent->q_rank);
    q = std::max(q, a->n_heads * a->head_dim);
    kv = std::max(kv, a->latent->kv_rank + a->rope->dims);
    values = std::max(values, a->n_heads * a->latent->v_dim);
  }
  LatentBuffers b;
  if (kv == 0) return b;
  b.q_latent = arena.take<float>(size(n_batch) * size(q_rank));
  b.q_normed = take_rows(std::max(n_batch, n_threads), q_rank, true, arena);
  b.q_normed.own_rows = true;
  b.q = arena.take<float>(size(n_batch) * size(q));
  b.kv = arena.take<float>(size(n_batch) * size(kv));
  b.values = take_rows(n_batch, values, true, arena);
  return b;
}

} // namespace

Buffers take_buffers(const ModelSpec& spec, const BufferSizes& sizes, runtime::Arena& arena) {
  Buffers b;
  const int n_batch = sizes.n_batch, n_chunks = (sizes.n_ctx + kernels::kAttentionChunk - 1) / kernels::kAttentionChunk;
  int qkv = 0, attended = 0, d_ff = 0, head_dim = 0, n_kv_heads = 0, n_experts = 0, n_tiles = 2;
  RecurrentSizes recurrent;
  for (const LayerSpec& layer : spec.layers) {
    recurrent.grow_to(recurrent_sizes(layer, spec.d_model));
    if (layer.ffn) d_ff = std::max(d_ff, layer.ffn->experts ? layer.ffn->experts->shared_d_ff : layer.ffn->d_ff);
    if (layer.block) {
      d_ff = std::max(d_ff, layer.block->ffn.d_ff);
      n_tiles = 3;
    }
    if (layer.ffn && layer.ffn->experts) n_experts = std::max(n_experts, layer.ffn->experts->n_experts);
    if (!layer.attention()) continue;
    const AttentionSpec a = as_cached(*layer.attention());
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
  b.recurrent = take_recurrent(recurrent, n_batch, sizes.n_threads, arena);
  b.latent = take_latent(spec, n_batch, sizes.n_threads, arena);
  take_routing(spec, sizes, b, arena);
  take_block(spec, sizes, qkv, b.block, arena);
  b.projected = arena.take<float>(size(n_batch) * size(spec.d_model));
  b.logits = arena.take<float>(size(spec.n_vocab));
  if (n_chunks > 1) b.partials = arena.take<float>(size(n_kv_heads) * b.partials_stride);
  b.scratch_stride = std::max({kernels::attention_scratch(head_dim), size(n_tiles * kFfnTileFloats), size(2 * n_experts)});
  b.scratch_stride = (b.scratch_stride + 15) / 16 * 16;
  b.scratch = arena.take<float>(size(sizes.n_threads) * b.scratch_stride);
  return b;
}

std::vector<LayerCache> take_cache(const ModelSpec& spec, int n_ctx, TensorType type, runtime::Arena& kv,
                                   runtime::Arena& states) {
  std::vector<LayerCache> cache;
  std::size_t n_latent_keys = 0;
  for (const LayerSpec& layer : spec.layers) {
    LayerCache& c = cache.emplace_back();
    const RecurrentSizes recurrent = recurrent_sizes(layer, spec.d_model);
    c.past = states.take<float>(recurrent.past);
    c.state = states.take<float>(recurrent.state);
    if (!layer.attention()) continue;
    const AttentionSpec a = as_cached(*layer.attention());
    c.type = type;
    c.v_stride = (a.head_dim + 15) / 16 * 16;
    c.k_head_stride = (size(n_ctx) + 15) / 16 * 16 * size(a.head_dim);
    c.v_head_stride = size(n_ctx) * size(c.v_stride);
    if (a.latent) n_latent_keys = std::max(n_latent_keys, c.k_head_stride * c.element_bytes());
    else c.k = kv.take<std::byte>(size(a.n_kv_heads) * c.k_head_stride * c.element_bytes());
    c.v = kv.take<std::byte>(size(a.n_kv_heads) * c.v_head_stride * c.element_bytes());
  }
  std::byte* latent_keys = kv.take<std::byte>(n_latent_keys);
  for (std::size_t i = 0; i < cache.size(); ++i)
    if (const AttentionSpec* a = spec.layers[i].attention(); a && a->latent) cache[i].k = latent_keys;
  return cache;
}

} // namespace mote::decoder

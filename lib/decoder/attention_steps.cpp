// The mixer's own steps: heads of q, k and v, the cache, and attention over it.
#include <algorithm>

#include "lib/decoder/steps.h"

namespace mote::decoder {

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

} // namespace

void CacheStep::prepare_head(const kernels::KernelTable& table, int token, const weights::Norm& norm,
                             float* head) const noexcept {
  const AttentionSpec& a = *o_.spec;
  if (a.qk_norm) {
    if (a.qk_norm->kind == NormKind::rms) table.rms_norm(head, norm.weight, a.qk_norm->eps, a.head_dim, head);
    else table.layer_norm(head, norm.weight, norm.bias, a.qk_norm->eps, a.head_dim, head);
  }
  if (!o_.rotation) return;
  const std::size_t at = size(token) * size(o_.rotation->table.n_pairs());
  const auto rope = a.rope->style == RopeStyle::halves ? table.rope_halves : table.rope_interleaved;
  rope(o_.rotation->cos + at, o_.rotation->sin + at, a.rope->dims, head);
}

void CacheStep::store_k(const kernels::KernelTable& table, const float* x, int kv_head, int pos) const noexcept {
  const int d = o_.spec->head_dim;
  const std::size_t at = size(kv_head) * o_.cache.k_head_stride + size(pos / 16) * size(d) * 16 + size(pos % 16);
  if (o_.cache.type == TensorType::F16) {
    table.f16_from_f32_lane(x, d, reinterpret_cast<std::uint16_t*>(o_.cache.k) + at);
  } else {
    float* k = reinterpret_cast<float*>(o_.cache.k) + at;
    for (int i = 0; i < d; ++i) k[16 * i] = x[i];
  }
}

void CacheStep::store_v(const kernels::KernelTable& table, const float* x, int kv_head, int pos) const noexcept {
  const std::size_t at = size(kv_head) * o_.cache.v_head_stride + size(pos) * size(o_.cache.v_stride);
  if (o_.cache.type == TensorType::F16)
    table.f16_from_f32(x, o_.spec->head_dim, reinterpret_cast<std::uint16_t*>(o_.cache.v) + at);
  else std::copy(x, x + o_.spec->head_dim, reinterpret_cast<float*>(o_.cache.v) + at);
}

void CacheStep::run(const Pass& pass, Items items) const noexcept {
  const AttentionSpec& a = *o_.spec;
  const int d = a.head_dim, n_heads = a.n_heads + 2 * a.n_kv_heads;
  const int n_items = pass.n_tokens() * n_heads;
  int first, last;
  while (items.take(n_items, items.chunk_of(n_items), first, last)) {
    for (int i = first; i < last; ++i) {
      const int token = i / n_heads, head = i % n_heads, pos = pass.first_pos + token;
      float* x = o_.qkv + size(i) * size(d);
      if (head < a.n_heads) {
        prepare_head(*pass.kernels, token, o_.q_norm, x);
      } else if (head < a.n_heads + a.n_kv_heads) {
        prepare_head(*pass.kernels, token, o_.k_norm, x);
        store_k(*pass.kernels, x, head - a.n_heads, pos);
      } else {
        store_v(*pass.kernels, x, head - a.n_heads - a.n_kv_heads, pos);
      }
    }
  }
}

void AttentionStep::run(const Pass& pass, Items items) const noexcept {
  // An item is some query heads of one kv head times some tokens. All of a group together read the cache once, but one
  // token with few kv heads must still give every thread something to do.
  constexpr int kTokenTile = 16;
  const AttentionSpec& a = *o_.spec;
  const int group = a.n_heads / a.n_kv_heads, d = a.head_dim;
  const int n_tiles = (pass.n_tokens() + kTokenTile - 1) / kTokenTile;
  int heads_at_once = group;
  while (heads_at_once > 1 && n_tiles * a.n_kv_heads * (group / heads_at_once) < 2 * items.n_threads() && items.n_threads() > 1)
    heads_at_once = (heads_at_once + 1) / 2;
  const int n_splits = (group + heads_at_once - 1) / heads_at_once;
  const std::size_t q_stride = size(a.n_heads + 2 * a.n_kv_heads) * size(d), out_stride = size(a.n_heads) * size(d);
  int item, end;
  while (items.take(n_tiles * a.n_kv_heads * n_splits, 1, item, end)) {
    const int tile = n_tiles - 1 - item / (a.n_kv_heads * n_splits); // the longest ones first
    const int kv_head = item / n_splits % a.n_kv_heads, head_in_group = item % n_splits * heads_at_once;
    const int head = kv_head * group + head_in_group, token = tile * kTokenTile;
    kernels::AttentionArgs args{};
    args.k = o_.cache.k + size(kv_head) * o_.cache.k_head_stride * o_.cache.element_bytes();
    args.v = o_.cache.v + size(kv_head) * o_.cache.v_head_stride * o_.cache.element_bytes();
    args.head_dim = d;
    args.v_stride = o_.cache.v_stride;
    args.first_pos = pass.first_pos + token;
    args.n_tokens = std::min(kTokenTile, pass.n_tokens() - token);
    args.n_heads = std::min(heads_at_once, group - head_in_group);
    args.scale = a.scale;
    args.q = o_.qkv + size(token) * q_stride + size(head) * size(d);
    args.q_stride = q_stride;
    args.out = o_.out + size(token) * out_stride + size(head) * size(d);
    args.out_stride = out_stride;
    args.scratch = o_.scratch + size(items.thread()) * o_.scratch_stride;
    pass.kernels->attention[o_.cache.type == TensorType::F16 ? 0 : 1](args);
  }
}

} // namespace mote::decoder

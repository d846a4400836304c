// The mixer's own steps: heads of q, k and v, the cache, and attention over it.
#include <algorithm>
#include <bit>
#include <numbers>
#include <numeric>

#include "lib/decoder/multiply.h"
#include "lib/decoder/portable_math.h"
#include "lib/decoder/steps.h"

namespace mote::decoder {

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

} // namespace

void QkvStep::rotate(const kernels::KernelTable& table, int token, float* head) const noexcept {
  if (!o_.rotation) return;
  const std::size_t at = size(token) * size(o_.rotation->table.n_pairs());
  const RopeSpec& rope = *o_.spec->rope;
  (rope.style == RopeStyle::halves ? table.rope_halves : table.rope_interleaved)(o_.rotation->cos + at, o_.rotation->sin + at,
                                                                                 rope.dims, head);
}

void QkvStep::store_k(const kernels::KernelTable& table, const float* x, int kv_head, int pos) const noexcept {
  const int d = o_.spec->head_dim;
  const std::size_t at = size(kv_head) * o_.cache.k_head_stride + size(pos / 16) * size(d) * 16 + size(pos % 16);
  if (o_.cache.type == TensorType::F16) {
    table.f16_from_f32_lane(x, d, reinterpret_cast<std::uint16_t*>(o_.cache.k) + at);
  } else {
    float* k = reinterpret_cast<float*>(o_.cache.k) + at;
    for (int i = 0; i < d; ++i) k[16 * i] = x[i];
  }
}

void QkvStep::store_v(const kernels::KernelTable& table, const float* x, int kv_head, int pos) const noexcept {
  const std::size_t at = size(kv_head) * o_.cache.v_head_stride + size(pos) * size(o_.cache.v_stride);
  if (o_.cache.type == TensorType::F16)
    table.f16_from_f32(x, o_.spec->head_dim, reinterpret_cast<std::uint16_t*>(o_.cache.v) + at);
  else std::copy(x, x + o_.spec->head_dim, reinterpret_cast<float*>(o_.cache.v) + at);
}

/// Heads first .. last - 1 of q, k and v together.
void QkvStep::finish_heads(const Pass& pass, int token, int first, int last) const noexcept {
  const AttentionSpec& a = *o_.spec;
  const kernels::KernelTable& table = *pass.kernels;
  const int d = a.head_dim, pos = pass.first_pos + token;
  const bool norms = a.qk_norm && a.qk_norm_scope != QkNormScope::projection;
  float* x = o_.qkv + size(token * n_all_heads() + first) * size(d);
  if (a.clamp != 0 && o_.part == Part::all) table.clamp(a.clamp, (last - first) * d, x);
  for (int head = first; head < last; ++head, x += d) {
    if (head >= a.n_heads + a.n_kv_heads) {
      store_v(table, x, head - a.n_heads - a.n_kv_heads, pos);
      continue;
    }
    const bool is_q = head < a.n_heads;
    if (norms) {
      weights::Norm norm = is_q ? o_.q_norm : o_.k_norm;
      if (a.qk_norm_scope == QkNormScope::each_head) norm.weight += size((is_q ? head : head - a.n_heads) * d);
      normalize_row(table, *a.qk_norm, norm, x, d, x);
    }
    rotate(table, token, x);
    if (!is_q) store_k(table, x, head - a.n_heads, pos);
    else if (a.log_scaling_from != 0 && pos >= a.log_scaling_from)
      table.scale(static_cast<float>(log_of(pos + 1.0) / log_of(a.log_scaling_from)), d, x);
  }
}

/// All heads, where there are norms with those over all of q and all of k.
void QkvStep::finish_token(const Pass& pass, int token) const noexcept {
  const AttentionSpec& a = *o_.spec;
  const int n_q = a.n_heads * a.head_dim, n_k = a.n_kv_heads * a.head_dim;
  float* q = o_.qkv + size(token * n_all_heads()) * size(a.head_dim);
  if (a.clamp != 0) pass.kernels->clamp(a.clamp, n_q + 2 * n_k, q);
  if (a.qk_norm && a.qk_norm_scope == QkNormScope::projection) {
    normalize_row(*pass.kernels, *a.qk_norm, o_.q_norm, q, n_q, q);
    normalize_row(*pass.kernels, *a.qk_norm, o_.k_norm, q + n_q, n_k, q + n_q);
  }
  finish_heads(pass, token, 0, n_all_heads());
}

void QkvStep::run(const Pass& pass, Items items) const noexcept {
  if (o_.part != Part::heads) return multiply_heads(pass, items);
  int first, last;
  while (items.take(pass.n_tokens(), pass.n_tokens(), first, last))
    for (int token = first; token < last; ++token) finish_token(pass, token);
}

void QkvStep::multiply_heads(const Pass& pass, Items& items) const noexcept {
  // An item is the fewest heads that are whole panels, so that who has computed a head can go on with it.
  const int d = o_.spec->head_dim, n_tokens = pass.n_tokens(),
            heads_in_item = kernels::kPanelRows / std::gcd(d, kernels::kPanelRows);
  const auto heads_of = [&](const weights::Linear& part) { return part.weight.n_rows / d; };
  const auto items_of = [&](const weights::Linear& part) { return (heads_of(part) + heads_in_item - 1) / heads_in_item; };
  const std::size_t stride = size(n_all_heads() * d);
  const TokenBlocks blocks(n_tokens, items.n_threads());
  const int n_tile = tile_tokens(o_.in);
  int n_items = 0;
  for (const weights::Linear* part : o_.parts) n_items += items_of(*part);
  Range block{}, taken{};
  while (blocks.take(items, n_items, n_items, block, taken)) {
    for (int token = block.first; token < block.last; token += n_tile) {
      const int n = std::min(n_tile, block.last - token), row = o_.in.row(token, n_tokens, items.thread());
      int part_item = 0, part_head = 0; // where the part begins
      for (const weights::Linear* part : o_.parts) {
        const Range own{std::max(taken.first - part_item, 0), std::min(taken.last - part_item, items_of(*part))};
        const Range heads{own.first * heads_in_item, std::min(own.last * heads_in_item, heads_of(*part))};
        if (own.first < own.last) {
          const Range panels{heads.first * d / kernels::kPanelRows,
                             (heads.last * d + kernels::kPanelRows - 1) / kernels::kPanelRows};
          float* out = o_.qkv + size(token) * stride + size((part_head + heads.first) * d);
          multiply(*pass.kernels, *part, o_.in, {row, row + n}, panels, out, stride);
          for (int t = token; t < token + n && o_.part == Part::all; ++t)
            finish_heads(pass, t, part_head + heads.first, part_head + heads.last);
        }
        part_item += items_of(*part);
        part_head += heads_of(*part);
      }
    }
  }
}

namespace {

constexpr int kTokenTile = 16, kQuantized = 32;

/// AttentionSpec::alibi_max_bias.
std::vector<float> alibi_slopes(int n_heads, double max_bias) {
  const int n = static_cast<int>(std::bit_floor(static_cast<unsigned>(n_heads)));
  const auto power_of_half = [&](double x) { return static_cast<float>(exp_of(-x * std::numbers::ln2)); };
  std::vector<float> slopes;
  for (int head = 0; head < n_heads; ++head)
    slopes.push_back(power_of_half(head < n ? max_bias * (head + 1) / n : max_bias * (2 * (head - n) + 1) / (2 * n)));
  return slopes;
}

} // namespace

AttentionStep::AttentionStep(const runtime::StepTag& step_tag, const Operands& operands)
    : Step(step_tag),
      o_(operands),
      type_(operands.cache.type == TensorType::F16 ? 0 : 1),
      unit_(operands.quantize ? kQuantized / std::gcd(kQuantized, group() * operands.spec->head_dim) : 1),
      chunks_done_(std::make_unique<std::atomic<int>[]>(size(operands.spec->n_kv_heads / unit_))) {
  const AttentionSpec& a = *o_.spec;
  if (a.alibi_max_bias != 0) slopes_ = alibi_slopes(a.n_heads, a.alibi_max_bias);
}

void AttentionStep::run(const Pass& pass, Items items) const noexcept {
  const bool one_chunk = pass.first_pos - first_attended(pass.first_pos) < kernels::kAttentionChunk;
  if (pass.n_tokens() > 1 || (one_chunk && items.n_threads() == 1)) run_tokens(pass, items);
  else if (one_chunk) run_heads(pass, items);
  else run_chunks(pass, items);
}

/// The heads of one kv head, for one token.
kernels::AttentionArgs AttentionStep::args_of(const Pass& pass, int thread, int kv_head, int first_token) const noexcept {
  const AttentionSpec& a = *o_.spec;
  kernels::AttentionArgs args{};
  args.k = o_.cache.k + size(kv_head) * o_.cache.k_head_stride * o_.cache.element_bytes();
  args.v = o_.cache.v + size(kv_head) * o_.cache.v_head_stride * o_.cache.element_bytes();
  args.head_dim = a.head_dim;
  args.v_stride = o_.cache.v_stride;
  args.first_pos = pass.first_pos + first_token;
  args.n_tokens = 1;
  args.n_heads = group();
  args.scale = a.scale;
  args.window = a.window;
  args.softcap = a.softcap;
  args.slopes = slopes_.empty() ? nullptr : slopes_.data() + kv_head * args.n_heads;
  args.q_stride = size(a.n_heads + 2 * a.n_kv_heads) * size(a.head_dim);
  args.q = o_.qkv + size(first_token) * args.q_stride + size(kv_head * args.n_heads * a.head_dim);
  args.out_stride = size(o_.out.n_cols);
  args.out = o_.out.x + size(first_token) * args.out_stride + size(kv_head * args.n_heads * a.head_dim);
  args.scratch = o_.scratch + size(thread) * o_.scratch_stride;
  args.partials = o_.partials + size(kv_head) * o_.partials_stride;
  return args;
}

/// Some outputs of some tokens are complete.
void AttentionStep::finish(const Pass& pass, Range tokens, Range cols) const noexcept {
  if (!o_.quantize) return;
  for (int t = tokens.first; t < tokens.last; ++t)
    pass.kernels->quantize_row(o_.out.x + size(t) * size(o_.out.n_cols) + cols.first, cols.first, cols.size(),
                               o_.out.act + size(t) * o_.out.act_stride());
}

/// An item is a tile of tokens with all heads of a unit of kv heads.
void AttentionStep::run_tokens(const Pass& pass, Items& items) const noexcept {
  const int n_units = o_.spec->n_kv_heads / unit_, n_tiles = (pass.n_tokens() + kTokenTile - 1) / kTokenTile;
  const int width = unit_ * group() * o_.spec->head_dim;
  int item, end;
  while (items.take(n_tiles * n_units, 1, item, end)) {
    const int unit = item % n_units, token = item / n_units * kTokenTile;
    const int n_tokens = std::min(kTokenTile, pass.n_tokens() - token);
    for (int kv_head = unit * unit_; kv_head < (unit + 1) * unit_; ++kv_head) {
      kernels::AttentionArgs args = args_of(pass, items.thread(), kv_head, token);
      args.n_tokens = n_tokens;
      pass.kernels->attention[type_](args);
    }
    finish(pass, {token, token + n_tokens}, {unit * width, (unit + 1) * width});
  }
}

/// One token, few positions: the heads of a kv head are split where there are too few kv heads for the threads.
void AttentionStep::run_heads(const Pass& pass, Items& items) const noexcept {
  const int n_units = o_.spec->n_kv_heads / unit_, d = o_.spec->head_dim;
  int heads_at_once = group();
  const auto can_halve = [&] {
    return heads_at_once > 1 && unit_ == 1 && (!o_.quantize || (heads_at_once + 1) / 2 * d % kQuantized == 0);
  };
  while (can_halve() && n_units * (group() / heads_at_once) < 2 * items.n_threads()) heads_at_once = (heads_at_once + 1) / 2;
  const int n_splits = (group() + heads_at_once - 1) / heads_at_once;
  int item, end;
  while (items.take(n_units * n_splits, 1, item, end)) {
    const Range kv_heads{item / n_splits * unit_, (item / n_splits + 1) * unit_};
    const int first_head = item % n_splits * heads_at_once, n_heads = std::min(heads_at_once, group() - first_head);
    for (int kv_head = kv_heads.first; kv_head < kv_heads.last; ++kv_head) {
      kernels::AttentionArgs args = args_of(pass, items.thread(), kv_head, 0);
      args.q += first_head * d;
      args.out += first_head * d;
      if (args.slopes) args.slopes += first_head;
      args.n_heads = n_heads;
      pass.kernels->attention[type_](args);
    }
    const int first_col = (kv_heads.first * group() + first_head) * d;
    finish(pass, {0, 1}, {first_col, first_col + n_heads * kv_heads.size() * d});
  }
}

/// One token, many positions: each thread reads a part of them; who is the last to do so merges the parts.
void AttentionStep::run_chunks(const Pass& pass, Items& items) const noexcept {
  const int n_units = o_.spec->n_kv_heads / unit_, first_chunk = first_attended(pass.first_pos) / kernels::kAttentionChunk;
  const int n_chunks = pass.first_pos / kernels::kAttentionChunk + 1 - first_chunk;
  const int width = unit_ * group() * o_.spec->head_dim;
  int first, last;
  while (items.take(n_units * n_chunks, n_chunks, first, last)) {
    for (int item = first; item < last; ++item) {
      const int unit = item / n_chunks;
      for (int kv_head = unit * unit_; kv_head < (unit + 1) * unit_; ++kv_head) {
        kernels::AttentionArgs args = args_of(pass, items.thread(), kv_head, 0);
        args.chunk = first_chunk + item % n_chunks;
        pass.kernels->attend_chunk[type_](args);
      }
      std::atomic<int>& done = chunks_done_[size(unit)];
      if (done.fetch_add(1, std::memory_order_acq_rel) + 1 < n_chunks) continue;
      done.store(0, std::memory_order_relaxed);
      for (int kv_head = unit * unit_; kv_head < (unit + 1) * unit_; ++kv_head)
        pass.kernels->merge_chunks(args_of(pass, items.thread(), kv_head, 0));
      finish(pass, {0, 1}, {unit * width, (unit + 1) * width});
    }
  }
}

} // namespace mote::decoder

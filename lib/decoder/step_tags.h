/// What steps say of their work before they run.
#pragma once
#include "lib/decoder/buffers.h"
#include "lib/runtime/recorder.h"
#include "lib/weights/weights.h"
#include "mote/spec.h"

namespace mote::decoder {

/// The step multiplies by this matrix, or by all of these.
inline void count(runtime::StepTag& tag, const weights::Linear& linear) {
  const weights::Matrix& w = linear.weight;
  const std::int64_t ops = 2 * static_cast<std::int64_t>(w.n_rows) * w.n_cols * w.n_parts;
  tag.bytes_fixed += static_cast<std::int64_t>(w.bytes);
  tag.ops_per_token += ops;
  if (linear.takes_floats()) tag.float_ops_per_token += ops;
  tag.products.push_back({w.type, w.n_rows, w.n_cols, w.n_parts});
}

/// By the matrices of the n_used experts that a token has. Several tokens may have the same one, so that bytes are what a pass
/// reads at most.
inline void count_experts(runtime::StepTag& tag, const weights::Linear& experts, int n_used) {
  runtime::StepTag one{};
  count(one, experts.part(0));
  tag.bytes_per_token += one.bytes_fixed * n_used;
  tag.ops_per_token += one.ops_per_token * n_used;
  tag.float_ops_per_token += one.float_ops_per_token * n_used;
  const int n_experts = experts.weight.n_parts;
  tag.most_tokens = (n_experts + n_used - 1) / n_used;
  tag.products.push_back({experts.weight.type, experts.weight.n_rows, experts.weight.n_cols, n_experts, n_used});
}

/// n_rows: of the cache, that are read for each position and kv head.
inline void count_attention(runtime::StepTag& tag, const AttentionSpec& a, const LayerCache& cache, int n_rows) {
  tag.bytes_per_position = static_cast<std::int64_t>(cache.element_bytes()) * n_rows * a.n_kv_heads * a.head_dim;
  tag.ops_per_position = 2 * 2 * static_cast<std::int64_t>(a.n_heads) * a.head_dim;
  tag.window = a.window;
  tag.n_heads = a.n_heads;
  tag.n_kv_heads = a.n_kv_heads;
}

} // namespace mote::decoder

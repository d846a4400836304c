#include "lib/weights/tensors.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace mote::weights {

namespace {

/// Appends tensors to the list, under the names of one layer or of none.
class Lister {
 public:
  Lister(std::vector<TensorDesc>& tensors, int layer) : tensors_(tensors), layer_(layer) {}

  void matrix(Role role, const std::string& name, std::int64_t n_rows, std::int64_t n_cols) {
    add({full_name(name) + ".weight", role, Form::matrix, layer_, n_rows, n_cols, {}});
  }
  void table(Role role, const std::string& name, std::int64_t n_rows, std::int64_t n_cols) {
    add({full_name(name) + ".weight", role, Form::table, layer_, n_rows, n_cols, {}});
  }
  void vector(Role role, const std::string& name, std::int64_t n) {
    add({full_name(name) + ".weight", role, Form::vector, layer_, 1, n, {}});
  }
  void bias(Role role, const std::string& name, std::int64_t n) {
    add({full_name(name) + ".bias", role, Form::bias, layer_, 1, n, {}});
  }
  void linear(Role role, const std::string& name, std::int64_t n_rows, std::int64_t n_cols, bool has_bias) {
    matrix(role, name, n_rows, n_cols);
    if (has_bias) bias(role, name, n_rows);
  }
  void norm(Role role, const std::string& name, std::int64_t n, const NormSpec& norm) {
    vector(role, name, n);
    if (norm.bias) bias(role, name, n);
  }

 private:
  std::string full_name(const std::string& name) const {
    return layer_ < 0 ? name : "blk." + std::to_string(layer_) + "." + name;
  }
  void add(TensorDesc tensor) { tensors_.push_back(std::move(tensor)); }

  std::vector<TensorDesc>& tensors_;
  int layer_;
};

void list_attention(Lister& list, const AttentionSpec& attention, std::int64_t d_model) {
  const std::int64_t head_dim = attention.head_dim;
  const std::int64_t q = attention.n_heads * head_dim, kv = attention.n_kv_heads * head_dim;
  if (attention.qkv_storage == QkvStorage::fused) {
    list.linear(Role::attn_qkv, "attn_qkv", q + 2 * kv, d_model, attention.qkv_bias);
  } else {
    list.linear(Role::attn_q, "attn_q", q, d_model, attention.qkv_bias);
    list.linear(Role::attn_k, "attn_k", kv, d_model, attention.qkv_bias);
    list.linear(Role::attn_v, "attn_v", kv, d_model, attention.qkv_bias);
  }
  if (attention.qk_norm) {
    list.norm(Role::attn_q_norm, "attn_q_norm", head_dim, *attention.qk_norm);
    list.norm(Role::attn_k_norm, "attn_k_norm", head_dim, *attention.qk_norm);
  }
  list.linear(Role::attn_output, "attn_output", d_model, q, attention.output_bias);
}

void list_ffn(Lister& list, const FfnSpec& ffn, std::int64_t d_model) {
  if (ffn.kind == FfnKind::gated) list.linear(Role::ffn_gate, "ffn_gate", ffn.d_ff, d_model, ffn.bias);
  list.linear(Role::ffn_up, "ffn_up", ffn.d_ff, d_model, ffn.bias);
  list.linear(Role::ffn_down, "ffn_down", d_model, ffn.d_ff, ffn.bias);
}

/// The factors that a file holds as a tensor, which is one for all layers; null when there are none.
const std::vector<float>* rope_freqs(const ModelSpec& spec) {
  for (const LayerSpec& layer : spec.layers) {
    const AttentionSpec* attention = layer.attention();
    if (!attention || !attention->rope) continue;
    const std::vector<float>& factors = attention->rope->factors;
    if (std::adjacent_find(factors.begin(), factors.end(), std::not_equal_to<>()) != factors.end()) return &factors;
  }
  return nullptr;
}

} // namespace

std::vector<TensorDesc> list_tensors(const ModelSpec& spec) {
  std::vector<TensorDesc> tensors;
  const std::int64_t d_model = spec.d_model;
  Lister model(tensors, -1);
  model.matrix(Role::token_embd, "token_embd", spec.n_vocab, d_model);
  if (spec.n_learned_positions != 0) model.table(Role::pos_embd, "position_embd", spec.n_learned_positions, d_model);
  if (const std::vector<float>* factors = rope_freqs(spec)) {
    model.vector(Role::rope_freqs, "rope_freqs", static_cast<std::int64_t>(factors->size()));
    tensors.back().values = *factors;
  }
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const LayerSpec& layer = spec.layers[i];
    Lister list(tensors, static_cast<int>(i));
    if (layer.mixer_from < 0) {
      list.norm(Role::attn_norm, "attn_norm", d_model, layer.norm);
      if (const AttentionSpec* attention = layer.attention()) list_attention(list, *attention, d_model);
      if (layer.ffn && layer.residual != Residual::parallel_shared) list.norm(Role::ffn_norm, "ffn_norm", d_model, layer.norm);
    }
    if (layer.ffn && layer.ffn_from < 0) list_ffn(list, *layer.ffn, d_model);
  }
  model.norm(Role::output_norm, "output_norm", d_model, spec.head.norm);
  if (!spec.head.tied) model.matrix(Role::output, "output", spec.n_vocab, d_model);
  if (spec.head.bias) model.bias(Role::output, "output", spec.n_vocab);
  return tensors;
}

} // namespace mote::weights

std::int64_t mote::parameter_count(const ModelSpec& spec) {
  std::int64_t count = 0;
  for (const weights::TensorDesc& tensor : weights::list_tensors(spec))
    if (tensor.role != weights::Role::rope_freqs) count += tensor.n_rows * tensor.n_cols; // constants of the shape
  return count;
}

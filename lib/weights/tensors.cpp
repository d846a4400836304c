#include "lib/weights/tensors.h"
#include "lib/spec/visit_mixer.h"

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
  void matrices(Role role, const std::string& name, std::int64_t n, std::int64_t n_rows, std::int64_t n_cols) {
    matrix(role, name, n * n_rows, n_cols);
    tensors_.back().n_parts = static_cast<int>(n);
    tensors_.back().has_3_dims = true;
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
  void parts(int n_parts, Role role, const std::string& name, std::int64_t n_rows, std::int64_t n_cols, bool has_bias) {
    matrix(role, name, n_rows, n_cols);
    tensors_.back().n_parts = n_parts;
    if (has_bias) bias(role, name, n_rows);
  }
  /// Constants of the spec.
  void values(const std::string& name, const std::vector<float>& all) {
    vector(Role::rope_freqs, name, static_cast<std::int64_t>(all.size()));
    tensors_.back().values = all;
  }
  /// For each of n_rows channels a row of n_cols; the whole name.
  void lanes(Role role, const std::string& name, std::int64_t n_rows, std::int64_t n_cols) {
    add({full_name(name), role, Form::lanes, layer_, n_rows, n_cols, {}});
  }
  /// A vector that files have as n_rows rows; the whole name.
  void folded_vector(Role role, const std::string& name, std::int64_t n_rows, std::int64_t n_cols) {
    add({full_name(name), role, Form::vector, layer_, n_rows, n_cols, {}});
  }
  void folded_bias(Role role, const std::string& name, std::int64_t n_rows, std::int64_t n_cols) {
    add({full_name(name) + ".bias", role, Form::bias, layer_, n_rows, n_cols, {}});
  }
  void norm(Role role, const std::string& name, std::int64_t n, const NormSpec& norm) {
    if (norm.weight) vector(role, name, n);
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

/// The matrices of each head stand one behind the other: what makes the latent's query of q, and v of the latent.
void list_latent(Lister& list, const AttentionSpec& a, const LatentSpec& latent, std::int64_t d_model) {
  const std::int64_t q = std::int64_t{a.n_heads} * a.head_dim, kv_rank = latent.kv_rank;
  if (latent.q_rank != 0) {
    list.matrix(Role::attn_q_a, "attn_q_a", latent.q_rank, d_model);
    list.norm(Role::attn_q_a_norm, "attn_q_a_norm", latent.q_rank, latent.norm);
    list.matrix(Role::attn_q_b, "attn_q_b", q, latent.q_rank);
  } else {
    list.matrix(Role::attn_q, "attn_q", q, d_model);
  }
  list.matrix(Role::attn_kv_a, "attn_kv_a_mqa", kv_rank + a.rope->dims, d_model);
  list.norm(Role::attn_kv_a_norm, "attn_kv_a_norm", kv_rank, latent.norm);
  list.matrices(Role::attn_k_b, "attn_k_b", a.n_heads, kv_rank, a.head_dim - a.rope->dims);
  list.matrices(Role::attn_v_b, "attn_v_b", a.n_heads, latent.v_dim, kv_rank);
  list.linear(Role::attn_output, "attn_output", d_model, std::int64_t{a.n_heads} * latent.v_dim, a.output_bias);
}

void list_attention(Lister& list, const AttentionSpec& attention, std::int64_t d_in, std::int64_t d_model) {
  const std::int64_t head_dim = attention.head_dim;
  const std::int64_t q = attention.n_heads * head_dim, kv = attention.n_kv_heads * head_dim;
  if (attention.qkv_storage == QkvStorage::fused) {
    list.linear(Role::attn_qkv, "attn_qkv", q + 2 * kv, d_in, attention.qkv_bias);
  } else {
    list.linear(Role::attn_q, "attn_q", q, d_in, attention.qkv_bias);
    list.linear(Role::attn_k, "attn_k", kv, d_in, attention.qkv_bias);
    list.linear(Role::attn_v, "attn_v", kv, d_in, attention.qkv_bias);
  }
  if (attention.qk_norm && attention.qk_norm_scope == QkNormScope::each_head) {
    list.folded_vector(Role::attn_q_norm, "attn_q_norm.weight", attention.n_heads, head_dim);
    list.folded_vector(Role::attn_k_norm, "attn_k_norm.weight", attention.n_kv_heads, head_dim);
  } else if (attention.qk_norm) {
    const bool of_head = attention.qk_norm_scope == QkNormScope::head;
    list.norm(Role::attn_q_norm, "attn_q_norm", of_head ? head_dim : q, *attention.qk_norm);
    list.norm(Role::attn_k_norm, "attn_k_norm", of_head ? head_dim : kv, *attention.qk_norm);
  }
  list.linear(Role::attn_output, "attn_output", d_model, q, attention.output_bias);
}

void list_mixer(Lister& list, const AttentionSpec& attention, std::int64_t d_model, const NormSpec&) {
  if (attention.latent) return list_latent(list, attention, *attention.latent, d_model);
  list_attention(list, attention, d_model, d_model);
}

void list_mixer(Lister& list, const MambaSpec& mamba, std::int64_t d_model, const NormSpec& norm) {
  const std::int64_t d_inner = mamba.d_inner, d_state = mamba.d_state, dt_rank = mamba.dt_rank;
  list.matrix(Role::ssm_in, "ssm_in", 2 * d_inner, d_model);
  list.lanes(Role::ssm_conv1d, "ssm_conv1d.weight", d_inner, mamba.d_conv);
  list.bias(Role::ssm_conv1d, "ssm_conv1d", d_inner);
  list.matrix(Role::ssm_x, "ssm_x", dt_rank + 2 * d_state, d_inner);
  if (mamba.dt_b_c_norms) {
    list.norm(Role::ssm_dt_norm, "ssm_dt_norm", dt_rank, norm);
    list.norm(Role::ssm_b_norm, "ssm_b_norm", d_state, norm);
    list.norm(Role::ssm_c_norm, "ssm_c_norm", d_state, norm);
  }
  list.linear(Role::ssm_dt, "ssm_dt", d_inner, dt_rank, true);
  list.lanes(Role::ssm_a, "ssm_a", d_inner, d_state);
  list.folded_vector(Role::ssm_d, "ssm_d", 1, d_inner);
  list.matrix(Role::ssm_out, "ssm_out", d_model, d_inner);
}

void list_mixer(Lister& list, const Mamba2Spec& mamba, std::int64_t d_model, const NormSpec&) {
  const std::int64_t d_inner = mamba.d_inner(), n_channels = mamba.n_channels();
  list.matrix(Role::ssm_in, "ssm_in", d_inner + n_channels + mamba.n_heads, d_model);
  list.lanes(Role::ssm_conv1d, "ssm_conv1d.weight", n_channels, mamba.d_conv);
  list.bias(Role::ssm_conv1d, "ssm_conv1d", n_channels);
  list.bias(Role::ssm_dt, "ssm_dt", mamba.n_heads);
  list.folded_vector(Role::ssm_a, "ssm_a", mamba.n_heads, 1);
  list.folded_vector(Role::ssm_d, "ssm_d", mamba.n_heads, 1);
  list.folded_vector(Role::ssm_norm, "ssm_norm.weight", mamba.n_groups, d_inner / mamba.n_groups);
  list.matrix(Role::ssm_out, "ssm_out", d_model, d_inner);
}

void list_mixer(Lister& list, const ShortConvSpec& conv, std::int64_t d_model, const NormSpec&) {
  list.matrix(Role::shortconv_in_proj, "shortconv.in_proj", 3 * d_model, d_model);
  list.lanes(Role::shortconv_conv, "shortconv.conv.weight", d_model, conv.d_conv);
  list.matrix(Role::shortconv_out_proj, "shortconv.out_proj", d_model, d_model);
}

void list_mixer(Lister& list, const RgLruSpec& lru, std::int64_t d_model, const NormSpec&) {
  const std::int64_t d_inner = lru.d_inner, n_blocks = lru.n_blocks, width = d_inner / n_blocks;
  list.linear(Role::rglru_in, "rglru_in", 2 * d_inner, d_model, true);
  list.lanes(Role::rglru_conv1d, "rglru_conv1d.weight", d_inner, lru.d_conv);
  list.bias(Role::rglru_conv1d, "rglru_conv1d", d_inner);
  list.matrices(Role::rglru_input_gate, "rglru_input_gate", n_blocks, width, width);
  list.folded_bias(Role::rglru_input_gate, "rglru_input_gate", n_blocks, width);
  list.matrices(Role::rglru_recurrence_gate, "rglru_recurrence_gate", n_blocks, width, width);
  list.folded_bias(Role::rglru_recurrence_gate, "rglru_recurrence_gate", n_blocks, width);
  list.folded_vector(Role::rglru_a, "rglru_a", 1, d_inner);
  list.linear(Role::rglru_out, "rglru_out", d_model, d_inner, true);
}

void list_experts(Lister& list, const FfnSpec& ffn, const ExpertsSpec& experts, std::int64_t d_model) {
  const bool gated = ffn.kind == FfnKind::gated;
  const std::int64_t n = experts.n_experts, shared = experts.shared_d_ff;
  list.matrix(Role::ffn_router, "ffn_gate_inp", n, d_model);
  if (gated) list.matrices(Role::ffn_gate_exps, "ffn_gate_exps", n, ffn.d_ff, d_model);
  list.matrices(Role::ffn_up_exps, "ffn_up_exps", n, ffn.d_ff, d_model);
  list.matrices(Role::ffn_down_exps, "ffn_down_exps", n, d_model, ffn.d_ff);
  if (shared == 0) return;
  if (experts.shared_gate) list.matrix(Role::ffn_shexp_gate, "ffn_gate_inp_shexp", 1, d_model);
  if (gated) list.matrix(Role::ffn_gate_shexp, "ffn_gate_shexp", shared, d_model);
  list.matrix(Role::ffn_up_shexp, "ffn_up_shexp", shared, d_model);
  list.matrix(Role::ffn_down_shexp, "ffn_down_shexp", d_model, shared);
}

void list_ffn(Lister& list, const FfnSpec& ffn, std::int64_t d_model) {
  if (ffn.experts) return list_experts(list, ffn, *ffn.experts, d_model);
  if (ffn.gate_storage == GateStorage::fused) {
    list.parts(2, Role::ffn_up, "ffn_up", 2 * std::int64_t{ffn.d_ff}, d_model, ffn.bias); // the gate comes first
  } else {
    if (ffn.kind == FfnKind::gated) list.linear(Role::ffn_gate, "ffn_gate", ffn.d_ff, d_model, ffn.bias);
    list.linear(Role::ffn_up, "ffn_up", ffn.d_ff, d_model, ffn.bias);
  }
  list.linear(Role::ffn_down, "ffn_down", d_model, ffn.d_ff, ffn.bias);
}

void list_block(Lister& list, const BlockSpec& block, std::int64_t d_model, const NormSpec& norm) {
  const AttentionSpec& attention = block.attention;
  if (block.from < 0) {
    list.norm(Role::block_norm, "block_norm", 2 * d_model, norm);
    list_attention(list, attention, 2 * d_model, d_model);
    list.norm(Role::ffn_norm, "ffn_norm", d_model, norm);
    list_ffn(list, block.ffn, d_model);
  }
  if (block.qkv_rank != 0) {
    const std::int64_t q = attention.n_heads * attention.head_dim, kv = attention.n_kv_heads * attention.head_dim;
    list.matrix(Role::attn_q_adapter_in, "attn_q_adapter_in", block.qkv_rank, 2 * d_model);
    list.matrix(Role::attn_q_adapter_out, "attn_q_adapter_out", q, block.qkv_rank);
    list.matrix(Role::attn_k_adapter_in, "attn_k_adapter_in", block.qkv_rank, 2 * d_model);
    list.matrix(Role::attn_k_adapter_out, "attn_k_adapter_out", kv, block.qkv_rank);
    list.matrix(Role::attn_v_adapter_in, "attn_v_adapter_in", block.qkv_rank, 2 * d_model);
    list.matrix(Role::attn_v_adapter_out, "attn_v_adapter_out", kv, block.qkv_rank);
  }
  if (block.ffn_rank != 0) {
    list.matrix(Role::ffn_adapter_in, "ffn_adapter_in", block.ffn_rank, d_model);
    if (block.ffn.kind == FfnKind::gated)
      list.matrix(Role::ffn_gate_adapter_out, "ffn_gate_adapter_out", block.ffn.d_ff, block.ffn_rank);
    list.matrix(Role::ffn_up_adapter_out, "ffn_up_adapter_out", block.ffn.d_ff, block.ffn_rank);
  }
  list.matrix(Role::block_out, "block_out", d_model, d_model);
}

/// The factors that a file holds as tensors, which are one set for all layers.
void list_rope_factors(Lister& list, const ModelSpec& spec) {
  for (const LayerSpec& layer : spec.layers) {
    const AttentionSpec* attention = layer.attention();
    if (!attention || !attention->rope) continue;
    const std::vector<float>& factors = attention->rope->factors;
    if (!attention->rope->long_factors.empty()) {
      list.values("rope_factors_long", attention->rope->long_factors);
      return list.values("rope_factors_short", factors);
    }
    if (std::adjacent_find(factors.begin(), factors.end(), std::not_equal_to<>()) != factors.end())
      return list.values("rope_freqs", factors);
  }
}

void list_layer(Lister& list, const LayerSpec& layer, std::int64_t d_model) {
  const bool before = layer.placement == NormPlacement::pre || layer.placement == NormPlacement::sandwich;
  const bool behind = layer.placement != NormPlacement::pre;
  if (layer.block) list_block(list, *layer.block, d_model, layer.norm);
  if (layer.mixer_from < 0) {
    if (before) list.norm(Role::attn_norm, "attn_norm", d_model, layer.norm);
    spec::visit_mixer(layer.mixer, [&](const auto& mixer) { list_mixer(list, mixer, d_model, layer.norm); });
    if (behind) list.norm(Role::attn_post_norm, "post_attention_norm", d_model, layer.norm);
    if (layer.ffn) {
      if (before && layer.residual != Residual::parallel_shared) list.norm(Role::ffn_norm, "ffn_norm", d_model, layer.norm);
      if (behind) list.norm(Role::ffn_post_norm, "post_ffw_norm", d_model, layer.norm);
    }
  }
  if (layer.ffn && layer.ffn_from < 0) list_ffn(list, *layer.ffn, d_model);
}

} // namespace

std::vector<TensorDesc> list_tensors(const ModelSpec& spec) {
  std::vector<TensorDesc> tensors;
  const EmbeddingSpec& embedding = spec.embedding;
  const std::int64_t d_model = spec.d_model, d_embedding = embedding.d_embedding != 0 ? embedding.d_embedding : d_model;
  Lister model(tensors, -1);
  model.matrix(Role::token_embd, "token_embd", spec.n_vocab, d_embedding);
  if (embedding.n_positions != 0) model.table(Role::pos_embd, "position_embd", embedding.n_positions, d_model);
  if (embedding.norm) model.norm(Role::embd_norm, "token_embd_norm", d_model, *embedding.norm);
  if (embedding.d_embedding != 0) {
    model.matrix(Role::project_in, "project_in", d_model, d_embedding);
    model.matrix(Role::project_out, "project_out", d_embedding, d_model);
  }
  list_rope_factors(model, spec);
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    Lister list(tensors, static_cast<int>(i));
    list_layer(list, spec.layers[i], d_model);
  }
  // files of lfm2 call it so, though it is applied to the last layer's output
  const char* const output_norm = spec.family == "lfm2" ? "token_embd_norm" : "output_norm";
  if (spec.head.norm) model.norm(Role::output_norm, output_norm, d_model, *spec.head.norm);
  if (!spec.head.tied) model.matrix(Role::output, "output", spec.n_vocab, d_embedding);
  if (spec.head.bias) model.bias(Role::output, "output", spec.n_vocab);
  return tensors;
}

} // namespace mote::weights

std::int64_t mote::parameter_count(const ModelSpec& spec) {
  std::int64_t count = 0;
  for (const weights::TensorDesc& tensor : weights::list_tensors(spec))
    if (tensor.values.empty()) count += tensor.n_rows * tensor.n_cols; // else constants of the shape
  return count;
}

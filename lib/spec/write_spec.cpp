#include "lib/spec/write_spec.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/spec/family.h"
#include "lib/spec/names.h"
#include "lib/spec/recurrent.h"

namespace mote::spec {

namespace {

bool all_equal(const std::vector<float>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

/// value(layer) of all layers.
template <class Value> std::vector<int> per_layer(const ModelSpec& spec, Value value) {
  std::vector<int> values;
  for (const LayerSpec& layer : spec.layers) values.push_back(value(layer));
  return values;
}

void write_rope(const RopeSpec& rope, KeyWriter& keys) {
  keys.set("rope.dimension_count", rope.dims);
  keys.set("rope.freq_base", static_cast<float>(rope.base));
  if (rope.yarn) {
    keys.set("rope.scaling.type", "yarn");
    keys.set("rope.scaling.factor", rope.yarn->factor);
    keys.set("rope.scaling.yarn_beta_fast", rope.yarn->beta_fast);
    keys.set("rope.scaling.yarn_beta_slow", rope.yarn->beta_slow);
    keys.set("rope.scaling.original_context_length", rope.yarn->original_ctx);
  } else if (!rope.long_factors.empty()) { // tensors
    keys.set("rope.scaling.type", "longrope");
    keys.set("rope.scaling.original_context_length", rope.n_short_ctx);
    keys.set("rope.scaling.attn_factor", rope.magnitude);
  } else if (!rope.factors.empty() && all_equal(rope.factors)) { // otherwise a tensor
    keys.set("rope.scaling.type", "linear");
    keys.set("rope.scaling.factor", rope.factors[0]);
  }
}

/// The first attention of the model speaks for all of them.
void write_attention(const ModelSpec& spec, const AttentionSpec& first, KeyWriter& keys) {
  const auto of_attention = [&](int AttentionSpec::*field) {
    return per_layer(spec, [&](const LayerSpec& layer) { return layer.attention() ? layer.attention()->*field : 0; });
  };
  // a layer without attention counts its heads like its neighbours, in the files that others write
  keys.set("attention.head_count", per_layer(spec, [&](const LayerSpec& layer) {
             return layer.attention() ? layer.attention()->n_heads : first.n_heads;
           }));
  keys.set("attention.head_count_kv", of_attention(&AttentionSpec::n_kv_heads));
  keys.set("attention.key_length", first.head_dim);
  keys.set("attention.value_length", first.latent ? first.latent->v_dim : first.head_dim);
  if (first.latent) {
    keys.set("attention.kv_lora_rank", first.latent->kv_rank);
    if (first.latent->q_rank != 0) keys.set("attention.q_lora_rank", first.latent->q_rank);
  }
  if (first.scale != static_cast<float>(1.0 / std::sqrt(static_cast<double>(first.head_dim))))
    keys.set("attention.scale", first.scale);
  if (first.softcap != 0) keys.set("attn_logit_softcapping", first.softcap);
  if (first.clamp != 0) keys.set("attention.clamp_kqv", first.clamp);
  if (first.alibi_max_bias != 0) keys.set("attention.max_alibi_bias", first.alibi_max_bias);
  const std::vector<int> windows = of_attention(&AttentionSpec::window);
  if (const int widest = *std::ranges::max_element(windows)) keys.set("attention.sliding_window", widest);
  // that of layers with a window may be another one
  const RopeSpec* rope = nullptr;
  for (const LayerSpec& layer : spec.layers)
    if (const AttentionSpec* a = layer.attention(); a && a->rope && (!rope || a->window == 0)) rope = &*a->rope;
  if (rope) write_rope(*rope, keys);
}

const FfnSpec* ffn_of(const LayerSpec& layer) { return layer.block ? &layer.block->ffn : layer.ffn ? &*layer.ffn : nullptr; }

/// Files say how many layers before the first with experts have none, and one width of experts.
void write_ffn(const ModelSpec& spec, const Family& family, KeyWriter& keys) {
  const auto has_experts = [](const LayerSpec& layer) { return layer.ffn && layer.ffn->experts; };
  const LayerSpec& first = spec.layers[0];
  const std::optional<FfnSpec> usual = family.defaults().layers[0].ffn;
  if (usual && first.ffn && first.ffn->activation != usual->activation)
    keys.set("feed_forward_activation", name_of(first.ffn->activation).data()); // a literal
  keys.set("feed_forward_length", per_layer(spec, [&](const LayerSpec& layer) {
             const FfnSpec* ffn = has_experts(layer) && first.ffn ? &*first.ffn : ffn_of(layer);
             return ffn ? ffn->d_ff : 0;
           }));
  const auto with = std::ranges::find_if(spec.layers, has_experts);
  if (with == spec.layers.end()) return;
  const ExpertsSpec& experts = *with->ffn->experts;
  keys.set("expert_count", experts.n_experts);
  keys.set("expert_used_count", experts.n_used);
  keys.set("expert_feed_forward_length", with->ffn->d_ff);
  if (experts.shared_d_ff != 0) keys.set("expert_shared_feed_forward_length", experts.shared_d_ff);
  if (experts.scale != 1) keys.set("expert_weights_scale", experts.scale);
  if (experts.router != usual->experts.value_or(ExpertsSpec{}).router)
    keys.set("expert_weights_norm", experts.router == Router::softmax_of_used);
  if (with != spec.layers.begin()) keys.set("leading_dense_block_count", static_cast<int>(with - spec.layers.begin()));
}

/// Which layers use the weights of others.
void write_sharing(const ModelSpec& spec, KeyWriter& keys) {
  const auto write = [&](std::string_view key, int LayerSpec::*from) {
    const std::vector<int> all = per_layer(spec, [&](const LayerSpec& layer) { return layer.*from; });
    if (*std::ranges::max_element(all) >= 0) keys.set(key, all);
  };
  write("mixer_from", &LayerSpec::mixer_from);
  write("feed_forward_from", &LayerSpec::ffn_from);
}

} // namespace

void KeyWriter::set(std::string_view key, const std::vector<int>& per_layer) {
  const bool equal = std::adjacent_find(per_layer.begin(), per_layer.end(), std::not_equal_to<>()) == per_layer.end();
  if (equal) set(key, per_layer[0]);
  else keys_.set_i32s(full(key), std::vector<std::int32_t>(per_layer.begin(), per_layer.end()));
}

Status write_spec(const ModelSpec& spec, gguf::KeyValues& key_values) {
  const Family* family = find_family(spec.family);
  if (!family) return Error{ErrorCode::unsupported, "no file can hold a model of the unknown family \"" + spec.family + "\""};
  const LayerSpec& first = spec.layers[0];
  KeyWriter keys(spec.family, key_values);
  key_values.set_string("general.architecture", spec.family);
  key_values.set_string("general.name", spec.name);
  keys.set("vocab_size", spec.n_vocab);
  keys.set("context_length", spec.n_ctx);
  keys.set("embedding_length", spec.d_model);
  keys.set("block_count", static_cast<int>(spec.layers.size()));
  write_ffn(spec, *family, keys);
  const bool rms = first.norm.kind == NormKind::rms;
  keys.set(rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon", first.norm.eps);
  if (spec.embedding.scale != 1) keys.set("embedding_scale", spec.embedding.scale);
  if (first.residual_scale != 1) keys.set("residual_scale", first.residual_scale);
  if (spec.head.softcap != 0) keys.set("final_logit_softcapping", spec.head.softcap);
  const auto attends = std::ranges::find_if(spec.layers, [](const LayerSpec& layer) { return layer.attention() != nullptr; });
  if (attends != spec.layers.end()) write_attention(spec, *attends->attention(), keys);
  else keys.set("attention.head_count", 0);
  const auto recurrent =
      std::ranges::find_if(spec.layers, [](const LayerSpec& layer) { return !layer.mixer_as<AttentionSpec>(); });
  if (recurrent != spec.layers.end()) write_recurrent(recurrent->mixer, keys);
  write_sharing(spec, keys);
  if (family->write) family->write(spec, keys);
  return {};
}

} // namespace mote::spec

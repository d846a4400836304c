#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "lib/gguf/format.h"
#include "lib/spec/limits.h"
#include "lib/spec/metadata.h"
#include "lib/spec/names.h"
#include "lib/spec/recurrent.h"

namespace mote::spec {

namespace {

/// One for all layers; when the file does not say it, the heads share d_model evenly.
int read_head_dim(Metadata& metadata, int d_model, const std::vector<int>& n_heads) {
  const bool equal = std::adjacent_find(n_heads.begin(), n_heads.end(), std::not_equal_to<>()) == n_heads.end();
  int head_dim = 0;
  if (metadata.has("attention.key_length") || !equal) {
    head_dim = metadata.integer("attention.key_length", 1, kMaxHeadDim);
  } else {
    head_dim = d_model / n_heads[0];
    if (head_dim * n_heads[0] != d_model)
      metadata.fail(ErrorCode::bad_file, metadata.full_key("attention.head_count") + " is " + std::to_string(n_heads[0]) +
                                             ", expected a divisor of " + metadata.full_key("embedding_length") + " " +
                                             std::to_string(d_model) + " where there is no " +
                                             metadata.full_key("attention.key_length"));
  }
  const int value_length = metadata.integer_or("attention.value_length", head_dim, 1, kMaxHeadDim);
  if (value_length != head_dim)
    metadata.fail(ErrorCode::unsupported, metadata.full_key("attention.value_length") + " is " + std::to_string(value_length) +
                                              "; only the length of the keys, " + std::to_string(head_dim) + ", is supported");
  return head_dim;
}

/// Rows of the embedding; the tokenizer and the metadata may count fewer, since the rows are often padded.
int read_vocab(Metadata& metadata) {
  const int n_vocab = metadata.matrix_rows("token_embd.weight", kMaxVocab);
  const int claimed = metadata.integer_or("vocab_size", n_vocab, 1, kMaxVocab);
  if (claimed > n_vocab)
    metadata.fail(ErrorCode::bad_file, metadata.full_key("vocab_size") + " is " + std::to_string(claimed) +
                                           ", but tensor \"token_embd.weight\" has " + std::to_string(n_vocab) + " rows");
  constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
  if (metadata.file().has(kTokens)) {
    const auto tokens = metadata.file().get_strings(kTokens);
    if (tokens && tokens->size() > static_cast<std::size_t>(n_vocab))
      metadata.fail(ErrorCode::bad_file, std::string(kTokens) + " has " + std::to_string(tokens->size()) +
                                             " entries, but tensor \"token_embd.weight\" has " + std::to_string(n_vocab) +
                                             " rows");
  }
  return n_vocab;
}

/// A name is for people: one line, of a length that can be printed.
std::string clean_name(std::string_view name) {
  constexpr std::size_t kMaxShown = 200;
  std::string text(name.substr(0, kMaxShown));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

/// A tensor of divisors of frequencies; empty when there is none.
std::vector<float> read_factors(Metadata& metadata, std::string_view name, int dims) {
  const gguf::Tensor* tensor = metadata.file().find_tensor(name);
  if (!tensor) return {};
  const auto n = static_cast<std::size_t>(dims / 2);
  if (tensor->type != TensorType::F32 || tensor->n_cols() != dims / 2 || tensor->n_rows() != 1) {
    metadata.fail(ErrorCode::bad_file, "tensor " + gguf::quote(name) + " should have the shape [" + std::to_string(n) +
                                           "] and the type F32, found " + std::to_string(tensor->n_cols()) + " x " +
                                           std::to_string(tensor->n_rows()) + " of " + std::string(type_info(tensor->type).name));
    return {};
  }
  std::vector<float> factors(n);
  if (n != 0) std::memcpy(factors.data(), tensor->data.data(), n * sizeof(float));
  return factors;
}

/// As Llama 3.1 and later files have it; empty when there is none.
std::vector<float> read_rope_freqs(Metadata& metadata, int dims) {
  const std::vector<float> factors = read_factors(metadata, "rope_freqs.weight", dims);
  if (factors.empty()) return {};
  // list_tensors tells factors that are a tensor from factors that are a key by this
  if (std::adjacent_find(factors.begin(), factors.end(), std::not_equal_to<>()) == factors.end()) {
    metadata.fail(ErrorCode::unsupported, "tensor \"rope_freqs.weight\" has one value for all frequencies; only " +
                                              metadata.full_key("rope.scaling.factor") + " is supported for that");
    return {};
  }
  return factors;
}

/// The divisor of all frequencies; 1 when they are as they are.
double read_linear_scaling(Metadata& metadata) {
  const std::string_view factor_key = metadata.has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
  const std::string_view type = metadata.string_or("rope.scaling.type", metadata.has(factor_key) ? "linear" : "none");
  if (type == "linear") return metadata.real_or(factor_key, 1.0);
  if (type != "none")
    metadata.fail(ErrorCode::unsupported,
                  metadata.full_key("rope.scaling.type") + " " + gguf::quote(type) +
                      " is not supported; supported: none, linear, and the tensors \"rope_freqs.weight\", or "
                      "\"rope_factors_short.weight\" and \"rope_factors_long.weight\"");
  return 1.0;
}

/// LongRoPE: two tensors. False when there are none.
bool read_long_rope(Metadata& metadata, RopeSpec& rope) {
  constexpr std::string_view kShort = "rope_factors_short.weight", kLong = "rope_factors_long.weight";
  if (!metadata.has_tensor(kShort) && !metadata.has_tensor(kLong)) return false;
  for (const std::string_view name : {kShort, kLong})
    if (!metadata.has_tensor(name)) metadata.fail(ErrorCode::bad_file, "tensor " + gguf::quote(name) + " is missing");
  rope.factors = read_factors(metadata, kShort, rope.dims);
  rope.long_factors = read_factors(metadata, kLong, rope.dims);
  rope.n_short_ctx = metadata.integer("rope.scaling.original_context_length", 1, kMaxCtx);
  rope.magnitude = static_cast<float>(metadata.real_or("rope.scaling.attn_factor", 1.0));
  return true;
}

/// Attention over latents, one shape for all layers. New files count the cache as one kv head; their own lengths have _mla.
void read_latent(Metadata& metadata, ModelSpec& spec, const LayerSpec& kind, int n_heads) {
  AttentionSpec a = *kind.attention();
  const auto length = [&](const std::string& key, int usual) {
    const std::string mla = key + "_mla";
    return metadata.has(mla) ? metadata.integer(mla, 1, kMaxHeadDim) : metadata.integer_or(key, usual, 1, kMaxHeadDim);
  };
  a.n_heads = a.n_kv_heads = n_heads;
  a.head_dim = length("attention.key_length", std::clamp(spec.d_model / n_heads, 1, kMaxHeadDim));
  a.latent->v_dim = length("attention.value_length", std::clamp(spec.d_model / n_heads, 1, kMaxHeadDim));
  a.latent->q_rank = metadata.integer_or("attention.q_lora_rank", 0, 0, kMaxDModel);
  a.latent->kv_rank = metadata.integer("attention.kv_lora_rank", 1, kMaxHeadDim);
  const double scale = metadata.real_or("attention.scale", 0.0);
  a.scale = static_cast<float>(scale != 0.0 ? scale : 1.0 / std::sqrt(static_cast<double>(a.head_dim)));
  spec.layers.assign(spec.layers.size(), kind);
  for (LayerSpec& layer : spec.layers) *layer.attention() = a;
}

/// Puts attention where the file says heads: everywhere, or where a hybrid's layer has kv heads.
void read_attention_layers(Metadata& metadata, ModelSpec& spec, const LayerSpec& kind) {
  const std::size_t n_layers = spec.layers.size();
  const bool hybrid = !spec.layers[0].attention();
  const std::vector<int> n_heads = metadata.per_layer("attention.head_count", n_layers, 1, kMaxHeads);
  const std::vector<int> n_kv_heads = hybrid || metadata.has("attention.head_count_kv")
                                          ? metadata.per_layer("attention.head_count_kv", n_layers, hybrid ? 0 : 1, kMaxHeads)
                                          : n_heads;
  if (kind.attention()->latent) return read_latent(metadata, spec, kind, n_heads[0]);
  const int head_dim = read_head_dim(metadata, spec.d_model, n_heads);
  double scale = metadata.real_or("attention.scale", 0.0);
  if (scale == 0.0) scale = 1.0 / std::sqrt(static_cast<double>(head_dim));
  for (std::size_t i = 0; i < n_layers; ++i) {
    if (n_kv_heads[i] == 0) continue;
    spec.layers[i] = kind;
    AttentionSpec& attention = *spec.layers[i].attention();
    attention.n_heads = n_heads[i];
    attention.n_kv_heads = n_kv_heads[i];
    attention.head_dim = head_dim;
    attention.scale = static_cast<float>(scale);
  }
}

/// Numbers of layers, heads, widths, positions and tokens; makes all layers from the first.
ModelSpec read_sizes(Metadata& metadata, ModelSpec spec) {
  const gguf::File& file = metadata.file();
  if (const auto name = file.get_string("general.name")) spec.name = clean_name(*name);
  spec.n_ctx = metadata.integer("context_length", 1, kMaxCtx);
  spec.d_model = metadata.integer("embedding_length", 1, kMaxDModel);
  spec.n_vocab = read_vocab(metadata);

  const auto n_layers = static_cast<std::size_t>(metadata.integer("block_count", 1, kMaxLayers));
  const std::vector<LayerSpec> kinds = std::move(spec.layers);
  spec.layers.assign(n_layers, kinds.back());
  if (kinds.front().attention()) read_attention_layers(metadata, spec, kinds.front());
  for (LayerSpec& layer : spec.layers) read_recurrent(metadata, layer.mixer);
  if (!kinds.front().ffn) return spec;
  const std::vector<int> d_ff = metadata.per_layer("feed_forward_length", n_layers, 1, kMaxDFf);
  for (std::size_t i = 0; i < n_layers; ++i) spec.layers[i].ffn->d_ff = d_ff[i];
  return spec;
}

/// The attention of the first layer that has it; null when none has.
AttentionSpec* first_attention(ModelSpec& spec) {
  for (LayerSpec& layer : spec.layers)
    if (layer.attention()) return layer.attention();
  return nullptr;
}

/// Of all norms.
void read_norm_eps(Metadata& metadata, ModelSpec& spec) {
  // files of phimoe have the key of the other kind, as its config has the word
  constexpr std::string_view kRms = "attention.layer_norm_rms_epsilon", kLayer = "attention.layer_norm_epsilon";
  const bool rms = spec.layers[0].norm.kind == NormKind::rms || (metadata.has(kRms) && !metadata.has(kLayer));
  const auto eps = static_cast<float>(metadata.real(rms ? kRms : kLayer));
  if (spec.head.norm) spec.head.norm->eps = eps;
  if (spec.embedding.norm) spec.embedding.norm->eps = eps;
  for (LayerSpec& layer : spec.layers) {
    layer.norm.eps = eps;
    if (layer.attention() && layer.attention()->qk_norm) layer.attention()->qk_norm->eps = eps;
  }
}

/// YaRN (Peng et al. 2023) as files of models with latents have it: what its temperature adds goes to the scores, by a factor of
/// 1 + yarn_log_multiplier * ln(factor), squared, and none to the rotated parts. False when the file says another kind.
bool read_yarn(Metadata& metadata, RopeSpec& rope, ModelSpec& spec) {
  const AttentionSpec* first = spec.layers[0].attention(); // all layers have latents, or none
  if (metadata.string_or("rope.scaling.type", "none") != "yarn" || !first || !first->latent) return false;
  const auto number = [&](std::string_view key, double usual, double min, double max) {
    const double found = metadata.real_or(key, usual);
    if (found >= min && found <= max) return found;
    metadata.fail(ErrorCode::bad_file, metadata.full_key(key) + " is " + spec::number(found) + ", expected " + spec::number(min) +
                                           " to " + spec::number(max));
    return min;
  };
  const auto factor = [&](std::string_view key, double usual, double max) {
    return static_cast<float>(number(key, usual, 1e-3, max));
  };
  rope.yarn = YarnSpec{factor("rope.scaling.factor", 0, 1e6), factor("rope.scaling.yarn_beta_fast", 32, 1e6),
                       factor("rope.scaling.yarn_beta_slow", 1, 1e6),
                       metadata.integer("rope.scaling.original_context_length", 1, kMaxCtx)};
  const double grown = 1 + number("rope.scaling.yarn_log_multiplier", 0, 0, 1) * std::log(static_cast<double>(rope.yarn->factor));
  for (LayerSpec& layer : spec.layers)
    if (!metadata.has("attention.scale")) layer.attention()->scale = static_cast<float>(layer.attention()->scale * grown * grown);
  return true;
}

/// Base, rotated dimensions and frequency factors; the style stays. first: one of the layers, all of which get the same.
void read_rope(Metadata& metadata, ModelSpec& spec, const AttentionSpec& first) {
  RopeSpec rope = *first.rope;
  const int head_dim = first.head_dim, most = std::max(2, head_dim);
  // where a family rotates a part of the head, the file must say which
  rope.dims = rope.dims != 0 ? metadata.integer("rope.dimension_count", 2, most)
                             : metadata.integer_or("rope.dimension_count", head_dim, 2, most);
  rope.base = metadata.real_or("rope.freq_base", 10000.0);
  if (!read_long_rope(metadata, rope) && !read_yarn(metadata, rope, spec)) {
    rope.factors = read_rope_freqs(metadata, rope.dims);
    const double divisor = read_linear_scaling(metadata);
    if (divisor != 1.0) {
      if (rope.factors.empty()) rope.factors.assign(static_cast<std::size_t>(rope.dims / 2), 1.0f);
      for (float& factor : rope.factors) factor = static_cast<float>(factor * divisor);
    }
  }
  for (LayerSpec& layer : spec.layers)
    if (layer.attention()) layer.attention()->rope = rope;
}

/// Scales, caps and bounds, which mean the same in all families.
void read_numbers(Metadata& metadata, ModelSpec& spec) {
  const auto number_or = [&](std::string_view key, float usual) { return static_cast<float>(metadata.real_or(key, usual)); };
  // 0 is how files say that a scale is not used
  if (spec.embedding.scale == 0) spec.embedding.scale = std::sqrt(static_cast<float>(spec.d_model));
  const auto scale_or = [&](std::string_view key, float usual) {
    const float found = number_or(key, usual);
    return found == 0 ? usual : found;
  };
  spec.embedding.scale = scale_or("embedding_scale", spec.embedding.scale);
  spec.head.softcap = number_or("final_logit_softcapping", spec.head.softcap);
  for (LayerSpec& layer : spec.layers) {
    layer.residual_scale = scale_or("residual_scale", layer.residual_scale);
    if (AttentionSpec* attention = layer.attention()) {
      attention->softcap = number_or("attn_logit_softcapping", attention->softcap);
      attention->clamp = number_or("attention.clamp_kqv", attention->clamp);
      attention->alibi_max_bias = number_or("attention.max_alibi_bias", attention->alibi_max_bias);
    }
  }
}

/// Whose weights the layers use, where files say that some use those of an earlier one (lib/spec/README.md).
void read_sharing(Metadata& metadata, ModelSpec& spec) {
  const int last = static_cast<int>(spec.layers.size()) - 1;
  const auto read = [&](std::string_view key, int LayerSpec::*from) {
    if (!metadata.has(key)) return;
    const std::vector<int> found = metadata.per_layer(key, spec.layers.size(), -1, last);
    for (std::size_t i = 0; i < spec.layers.size(); ++i) spec.layers[i].*from = found[i];
  };
  read("mixer_from", &LayerSpec::mixer_from);
  read("feed_forward_from", &LayerSpec::ffn_from);
}

/// Where it is not the family's.
void read_activation(Metadata& metadata, ModelSpec& spec) {
  constexpr std::string_view kKey = "feed_forward_activation";
  if (!metadata.has(kKey)) return;
  const std::string_view found = metadata.string_or(kKey, "");
  const auto at = std::ranges::find(kActivationNames, found);
  if (at == std::end(kActivationNames))
    return metadata.fail(ErrorCode::unsupported, metadata.full_key(kKey) + " " + gguf::quote(found) +
                                                     " is not supported; supported: " + join(kActivationNames));
  for (LayerSpec& layer : spec.layers)
    if (layer.ffn) layer.ffn->activation = static_cast<Activation>(at - std::begin(kActivationNames));
}

/// What the presence of tensors says.
void read_storage(Metadata& metadata, ModelSpec& spec) {
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    LayerSpec& layer = spec.layers[i];
    const std::size_t mixer = layer.mixer_from < 0 ? i : static_cast<std::size_t>(layer.mixer_from),
                      ffn = layer.ffn_from < 0 ? i : static_cast<std::size_t>(layer.ffn_from);
    const auto has = [&](std::string_view name) { return metadata.layer_has(mixer, name); };
    const auto ffn_has = [&](std::string_view name) { return metadata.layer_has(ffn, name); };
    // one bias is enough: if its companions are missing, they are named when the weights are bound
    layer.norm.bias = has("attn_norm.bias") || has("ffn_norm.bias") || has("post_attention_norm.bias");
    if (AttentionSpec* attention = layer.attention()) {
      attention->qkv_storage = has("attn_qkv.weight") ? QkvStorage::fused : QkvStorage::separate;
      attention->qkv_bias = has("attn_qkv.bias") || has("attn_q.bias") || has("attn_k.bias") || has("attn_v.bias");
      attention->output_bias = has("attn_output.bias");
    }
    if (layer.ffn) layer.ffn->bias = ffn_has("ffn_up.bias") || ffn_has("ffn_down.bias") || ffn_has("ffn_gate.bias");
  }
  if (spec.head.norm) spec.head.norm->bias = metadata.has_tensor("output_norm.bias");
  spec.head.tied = !metadata.has_tensor("output.weight");
  spec.head.bias = metadata.has_tensor("output.bias");
}

} // namespace

void read_windows(Metadata& metadata, ModelSpec& spec, int n_turn) {
  const int window = metadata.integer_or("attention.sliding_window", 0, 0, 1 << 30);
  n_turn = metadata.integer_or("attention.sliding_window_pattern", n_turn, 0, kMaxLayers);
  if (window == 0 || window >= spec.n_ctx) return;
  for (std::size_t i = 0; i < spec.layers.size(); ++i)
    if (n_turn == 0 || (i + 1) % static_cast<std::size_t>(n_turn) != 0) spec.layers[i].attention()->window = window;
}

void read_logit_divisor(Metadata& metadata, ModelSpec& spec) {
  const double divisor = metadata.real_or("logit_scale", 1.0);
  if (divisor != 0) spec.head.scale = static_cast<float>(1 / divisor);
}

ModelSpec read_decoder(Metadata& metadata, ModelSpec defaults) {
  ModelSpec spec = read_sizes(metadata, std::move(defaults));
  read_norm_eps(metadata, spec);
  if (const AttentionSpec* first = first_attention(spec); first && first->rope) read_rope(metadata, spec, *first);
  if (spec.layers[0].ffn && spec.layers[0].ffn->experts) read_experts(metadata, spec);
  if (spec.embedding.n_positions > 0) spec.embedding.n_positions = metadata.matrix_rows("position_embd.weight", kMaxCtx);
  read_numbers(metadata, spec);
  read_activation(metadata, spec);
  read_sharing(metadata, spec);
  read_storage(metadata, spec);
  return spec;
}

void refuse_features(Metadata& metadata, const ModelSpec& spec) {
  const auto refuse = [&](std::string_view key, const std::string& found, const std::string& supported) {
    metadata.fail(ErrorCode::unsupported,
                  metadata.full_key(key) + " is " + found + ", which is not supported; supported: " + supported);
  };
  constexpr int kAny = 1 << 30;
  const auto with_experts = [](const LayerSpec& layer) { return layer.ffn && layer.ffn->experts; };
  const int n_experts = metadata.integer_or("expert_count", 0, 0, kAny);
  if (n_experts != 0 && std::none_of(spec.layers.begin(), spec.layers.end(), with_experts))
    refuse("expert_count", std::to_string(n_experts), "0");
  const int window = metadata.integer_or("attention.sliding_window", 0, 0, kAny);
  const bool windowed = std::ranges::any_of(
      spec.layers, [](const LayerSpec& layer) { return layer.attention() && layer.attention()->window != 0; });
  if (window != 0 && window < spec.n_ctx && !windowed)
    refuse("attention.sliding_window", std::to_string(window), "0, or " + metadata.full_key("context_length") + " and more");
  // families differ in what it means; 0 is how files say that it is not used
  const double logit_scale = metadata.real_or("logit_scale", 1);
  if (logit_scale != 1 && logit_scale != 0 && spec.head.scale == 1) refuse("logit_scale", number(logit_scale), "1");
  const double attn_factor = metadata.real_or("rope.scaling.attn_factor", 1);
  if (attn_factor != 1 && attn_factor != 0 && !metadata.has_tensor("rope_factors_long.weight"))
    refuse("rope.scaling.attn_factor", number(attn_factor), "1");
  if (!metadata.boolean_or("attention.causal", true)) refuse("attention.causal", "false", "true");
  const bool parallel = spec.layers[0].residual != Residual::sequential;
  // stablelm's converter says true where the model does not say; the family looks at the tensors
  if (spec.family != "stablelm" && metadata.boolean_or("use_parallel_residual", parallel) != parallel)
    refuse("use_parallel_residual", parallel ? "false" : "true", parallel ? "true" : "false");
}

} // namespace mote::spec

// From the values of a shape to a spec.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/spec/family.h"
#include "lib/spec/limits.h"
#include "lib/spec/presets.h"
#include "lib/spec/recurrent.h"
#include "lib/spec/rope_scaling.h"
#include "lib/spec/shape.h"

namespace mote {

namespace spec {

namespace {

NormSpec read_norm(ShapeValues& values, const NormSpec& usual) {
  NormSpec norm = usual;
  norm.kind = values.word_or("norm", usual.kind);
  norm.eps = values.real_or("norm_eps", usual.eps, 1e-20, 1.0);
  norm.bias = values.boolean_or("norm_bias", norm.kind == usual.kind ? usual.bias : norm.kind == NormKind::layer);
  return norm;
}

/// rope_style is a style or none.
std::optional<RopeSpec> read_rope(ShapeValues& values, const std::optional<RopeSpec>& usual, int head_dim) {
  constexpr std::string_view kStyle = "rope_style", kNone = "none";
  const bool said = values.has(kStyle);
  const std::string_view style = values.text(kStyle, kNone);
  if (said && style != kNone && std::ranges::find(kRopeStyleNames, style) == std::end(kRopeStyleNames))
    values.fail(kStyle, "one of " + join(kRopeStyleNames) + ", " + std::string(kNone));
  if (said ? style == kNone : !usual) {
    for (const std::string_view key : {"rope_dims", "rope_base", "rope_scaling"})
      if (values.has(key)) values.fail(key, "no such key where there is no rope: set rope_style");
    return std::nullopt;
  }
  RopeSpec rope = usual.value_or(RopeSpec{});
  rope.style = values.word_or(kStyle, rope.style);
  rope.dims = values.integer_or("rope_dims", rope.dims == 0 || rope.dims > head_dim ? head_dim : rope.dims, 2, head_dim);
  rope.base = values.real_or("rope_base", rope.base, kMinRopeBase, kMaxRopeBase);
  if (!parse_rope_scaling(values.text("rope_scaling", kNone), rope))
    values.fail("rope_scaling", std::string(kRopeScalingGrammar));
  return rope;
}

/// All but the numbers of heads. d_in: the width of its inputs, which the heads share.
AttentionSpec read_attention(ShapeValues& values, const AttentionSpec& usual, const NormSpec& norm, int d_in) {
  AttentionSpec attention = usual;
  const int n_heads = values.per_layer("heads", 1, 1, kMaxHeads)[0];
  if (!values.has("head_dim") && d_in % n_heads != 0)
    values.fail("heads", "a divisor of d_model=" + std::to_string(d_in) + ", or head_dim");
  attention.head_dim = values.integer_or("head_dim", d_in / n_heads, 1, kMaxHeadDim);
  attention.qkv_storage = values.word_or("qkv", usual.qkv_storage);
  attention.qkv_bias = values.boolean_or("qkv_bias", usual.qkv_bias);
  attention.output_bias = values.boolean_or("output_bias", usual.output_bias);
  attention.clamp = values.real_or("clamp", usual.clamp, 0, kMaxFactor);
  attention.qk_norm.reset();
  if (values.boolean_or("qk_norm", usual.qk_norm.has_value())) attention.qk_norm = NormSpec{norm.kind, norm.eps, false};
  attention.qk_norm_scope = values.word_or("qk_norm_scope", usual.qk_norm_scope);
  attention.scale =
      values.real_or("attention_scale", static_cast<float>(1.0 / std::sqrt(static_cast<double>(attention.head_dim))), 1e-6, 1e6);
  attention.softcap = values.real_or("attention_softcap", usual.softcap, 0, kMaxFactor);
  attention.rope = read_rope(values, usual.rope, attention.head_dim);
  if (usual.latent) {
    attention.latent = usual.latent;
    attention.latent->q_rank = values.integer_or("q_rank", 0, 0, kMaxDModel);
    attention.latent->kv_rank = values.integer("kv_rank", 1, kMaxHeadDim);
    attention.latent->v_dim = values.integer_or("v_dim", attention.head_dim, 1, kMaxHeadDim);
  } else {
    for (const std::string_view key : {"q_rank", "kv_rank", "v_dim"})
      if (values.has(key)) values.fail(key, "no such key in a family without latents");
  }
  return attention;
}

/// experts=0, which is usual, is no experts.
std::optional<ExpertsSpec> read_experts(ShapeValues& values, const std::optional<ExpertsSpec>& usual) {
  ExpertsSpec experts = usual.value_or(ExpertsSpec{});
  experts.n_experts = values.integer_or("experts", 0, 0, kMaxExperts);
  if (experts.n_experts == 0) {
    for (const std::string_view key : {"experts_used", "router", "shared_d_ff", "shared_gate"})
      if (values.has(key)) values.fail(key, "no such key where there are no experts: set experts");
    return std::nullopt;
  }
  experts.n_used = values.integer("experts_used", 1, experts.n_experts);
  experts.router = values.word_or("router", experts.router);
  experts.shared_d_ff = values.integer_or("shared_d_ff", 0, 0, kMaxDFf);
  experts.shared_gate = experts.shared_d_ff != 0 && values.boolean_or("shared_gate", experts.shared_gate);
  return experts;
}

/// All but the width.
void read_ffn(ShapeValues& values, FfnSpec& ffn) {
  ffn.kind = values.word_or("ffn", ffn.kind);
  ffn.activation = values.word_or("activation", ffn.activation);
  ffn.bias = values.boolean_or("ffn_bias", ffn.bias);
  ffn.experts = read_experts(values, ffn.experts);
}

BlockSpec read_block(ShapeValues& values, const BlockSpec& usual, const NormSpec& norm, int d_model) {
  BlockSpec block = usual;
  block.attention = read_attention(values, usual.attention, norm, 2 * d_model);
  if (!values.has("attention_scale")) block.attention.scale = static_cast<float>(1.0 / std::sqrt(block.attention.head_dim / 2.0));
  read_ffn(values, block.ffn);
  block.qkv_rank = values.integer_or("qkv_rank", usual.qkv_rank, 0, kMaxDModel);
  block.ffn_rank = values.integer_or("ffn_rank", usual.ffn_rank, 0, kMaxDModel);
  return block;
}

/// Fills in one of the family's kinds of layers.
LayerSpec read_layer(ShapeValues& values, const LayerSpec& usual, int d_model) {
  LayerSpec layer = usual;
  layer.residual = values.word_or("residual", usual.residual);
  layer.placement = values.word_or("placement", usual.placement);
  layer.residual_scale = values.real_or("residual_scale", usual.residual_scale, -kMaxFactor, kMaxFactor);
  layer.norm = read_norm(values, usual.norm);
  if (usual.block) layer.block = read_block(values, *usual.block, layer.norm, d_model);
  if (const AttentionSpec* attention = usual.mixer_as<AttentionSpec>())
    layer.mixer = MixerSpec(read_attention(values, *attention, layer.norm, d_model));
  else read_recurrent(values, layer.mixer, d_model);
  if (layer.ffn) read_ffn(values, *layer.ffn);
  return layer;
}

/// Heads and widths, which may differ from layer to layer.
void read_widths(ShapeValues& values, std::vector<LayerSpec>& layers) {
  const std::size_t n = layers.size();
  const auto attends = [](const LayerSpec& layer) { return layer.attention() != nullptr; };
  if (std::ranges::any_of(layers, attends)) {
    const std::vector<int> n_heads = values.per_layer("heads", n, 1, kMaxHeads);
    const std::vector<int> n_kv_heads = values.has("kv_heads") ? values.per_layer("kv_heads", n, 1, kMaxHeads) : n_heads;
    for (std::size_t i = 0; i < n; ++i) {
      if (n_heads[i] % n_kv_heads[i] != 0) values.fail("kv_heads", "a divisor of heads=" + std::to_string(n_heads[i]));
      if (!layers[i].attention()) continue;
      layers[i].attention()->n_heads = n_heads[i];
      layers[i].attention()->n_kv_heads = n_kv_heads[i];
    }
  }
  const auto has_ffn = [](const LayerSpec& layer) { return layer.ffn || layer.block; };
  if (std::ranges::none_of(layers, has_ffn)) return;
  const std::vector<int> d_ff = values.per_layer("d_ff", n, 1, kMaxDFf);
  for (std::size_t i = 0; i < n; ++i)
    if (has_ffn(layers[i])) (layers[i].block ? layers[i].block->ffn : *layers[i].ffn).d_ff = d_ff[i];
}

/// repeat=2: each stored layer is run twice in a row. shared_ffn=1: all layers use the first one's FFN.
std::vector<LayerSpec> share_layers(ShapeValues& values, const std::vector<LayerSpec>& stored) {
  const int n_runs = values.integer_or("repeat", 1, 1, kMaxLayers / static_cast<int>(stored.size()));
  const bool one_ffn = values.boolean_or("shared_ffn", false);
  std::vector<LayerSpec> layers;
  for (const LayerSpec& layer : stored) {
    const int own = static_cast<int>(layers.size()), ffn = one_ffn ? 0 : own;
    for (int run = 0; run < n_runs; ++run) {
      layers.push_back(layer);
      if (run > 0) layers.back().mixer_from = own;
      if (own + run != ffn && layer.ffn) layers.back().ffn_from = ffn;
    }
  }
  return layers;
}

/// All layers; where the family mixes two kinds, the shape says which layers are attention.
std::vector<LayerSpec> read_layers(ShapeValues& values, std::vector<LayerSpec> kinds, int d_model) {
  for (LayerSpec& kind : kinds) kind = read_layer(values, kind, d_model);
  const int n_layers = values.integer("layers", 1, kMaxLayers);
  std::vector<LayerSpec> layers(static_cast<std::size_t>(n_layers), kinds.back());
  if (kinds.size() > 1)
    for (const int i : values.integers("attention_layers", 0, n_layers - 1)) layers[static_cast<std::size_t>(i)] = kinds.front();
  if (kinds.back().attention()) refuse_recurrent_keys(values);
  const auto refuse = [&](std::initializer_list<std::string_view> keys, const char* what) {
    for (const std::string_view key : keys)
      if (values.has(key)) values.fail(key, std::string("no such key in a family without ") + what);
  };
  if (!kinds.front().attention())
    refuse({"heads", "kv_heads", "head_dim", "clamp", "rope_style", "rope_dims", "rope_base"}, "attention");
  if (!kinds.front().block) refuse({"shared_blocks", "qkv_rank", "ffn_rank"}, "shared blocks");
  if (!kinds.front().ffn && !kinds.front().block) refuse({"d_ff", "activation", "ffn", "ffn_bias", "shared_ffn"}, "FFNs");
  read_widths(values, layers);
  return share_layers(values, layers);
}

EmbeddingSpec read_embedding(ShapeValues& values, const EmbeddingSpec& usual, const NormSpec& norm, const ModelSpec& model) {
  EmbeddingSpec embedding = usual;
  const float usual_scale = usual.scale == 0 ? std::sqrt(static_cast<float>(model.d_model)) : usual.scale;
  embedding.scale = values.real_or("embedding_scale", usual_scale, -kMaxFactor, kMaxFactor);
  const int least = model.n_ctx + usual.first_position;
  embedding.n_positions = values.integer_or("positions", usual.n_positions != 0 ? least : 0, 0, kMaxCtx);
  if (embedding.n_positions != 0 && embedding.n_positions < least)
    values.fail("positions", "0, or ctx=" + std::to_string(model.n_ctx) +
                                 (usual.first_position ? " + " + std::to_string(usual.first_position) : "") + " and more");
  if (embedding.n_positions == 0) embedding.first_position = 0;
  embedding.d_embedding = values.integer_or("d_embedding", usual.d_embedding, 0, kMaxDModel);
  if (embedding.norm) embedding.norm = norm;
  return embedding;
}

/// What some layers have and others do not.
void arrange_layers(ShapeValues& values, ModelSpec& model) {
  const int window = values.integer_or("window", 0, 0, kMaxCtx), full_every = values.integer_or("full_every", 0, 0, kMaxLayers);
  const int nope_every = values.integer_or("nope_every", 0, 0, kMaxLayers);
  const double local_base = values.real_or("rope_base_local", 0.0, kMinRopeBase, kMaxRopeBase);
  if (values.has("dense_layers"))
    for (const int i : values.integers("dense_layers", 0, static_cast<int>(model.layers.size()) - 1))
      if (auto& ffn = model.layers[static_cast<std::size_t>(i)].ffn) {
        ffn->experts.reset();
        ffn->d_ff = values.integer_or("dense_d_ff", ffn->d_ff, 1, kMaxDFf);
      }
  const auto is_last_of = [](std::size_t i, int turn) { return turn != 0 && (i + 1) % static_cast<std::size_t>(turn) == 0; };
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    AttentionSpec* attention = model.layers[i].attention();
    if (!attention) continue;
    if (!is_last_of(i, full_every)) attention->window = window;
    if (is_last_of(i, nope_every)) attention->rope.reset();
    if (attention->rope && attention->window != 0 && values.has("rope_base_local"))
      attention->rope = RopeSpec{attention->rope->style, attention->rope->dims, local_base, {}};
  }
}

ModelSpec build(ShapeValues& values, const Family& family) {
  const ModelSpec usual = family.defaults();
  ModelSpec model;
  model.family = family.name;
  model.d_model = values.integer("d_model", 1, kMaxDModel);
  model.n_vocab = values.integer("vocab", 1, kMaxVocab);
  model.n_ctx = values.integer_or("ctx", usual.n_ctx, 1, kMaxCtx);
  model.layers = read_layers(values, usual.layers, model.d_model);
  arrange_layers(values, model);
  share_blocks(model, values.integer_or("shared_blocks", 1, 1, kMaxLayers));
  const NormSpec& norm = model.layers[0].norm;
  model.embedding = read_embedding(values, usual.embedding, norm, model);
  model.head = usual.head;
  if (values.boolean_or("final_norm", usual.head.norm.has_value())) model.head.norm = norm;
  else model.head.norm.reset();
  model.head.scale = values.real_or("logit_scale", usual.head.scale, -kMaxFactor, kMaxFactor);
  model.head.softcap = values.real_or("logit_softcap", usual.head.softcap, 0, kMaxFactor);
  model.head.tied = values.boolean_or("tied", usual.head.tied);
  model.head.bias = values.boolean_or("head_bias", usual.head.bias);
  return model;
}

} // namespace

} // namespace spec

Result<ModelSpec> spec_from_shape(std::string_view shape) {
  using namespace spec;
  ShapeValues values;
  values.parse(shape);
  std::string_view usual_name = shape;
  if (values.status() && values.has("base")) {
    if (values.has("family")) return Error{ErrorCode::invalid_argument, "shape keys \"base\" and \"family\" exclude each other"};
    const std::string_view base = values.text("base", "");
    const PresetRow* preset = find_preset(base);
    if (!preset) return Error{ErrorCode::invalid_argument, unknown_preset_text(base)};
    if (values.size() == 1) usual_name = base;
    ShapeValues preset_values;
    preset_values.parse(preset->shape);
    values.inherit(preset_values);
  }
  const Family* family = find_family(values.text("family", "llama"));
  if (!family) values.fail("family", "one of " + join(family_names()));
  if (!values.status()) return values.status().error();
  ModelSpec model = build(values, *family);
  model.name = values.text("name", usual_name);
  if (!values.status()) return values.status().error();
  if (Status valid = validate(model); !valid) return std::move(valid).error();
  return model;
}

} // namespace mote

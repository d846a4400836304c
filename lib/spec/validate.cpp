#include <cmath>
#include <cstdint>
#include <string>

#include "lib/gguf/format.h"
#include "lib/spec/family.h"
#include "lib/spec/limits.h"
#include "lib/spec/names.h"
#include "lib/spec/visit_mixer.h"

namespace mote {

namespace spec {

namespace {

/// Keeps the first fault. Fields are named as printed specs name them.
class Checker {
 public:
  const Status& status() const noexcept { return status_; }

  void fail(const std::string& field, const std::string& found, const std::string& expected,
            ErrorCode code = ErrorCode::invalid_argument) {
    if (status_) status_ = Error{code, field + " is " + found + ", expected " + expected};
  }
  void range(const std::string& field, std::int64_t value, std::int64_t min, std::int64_t max) {
    if (value < min || value > max) fail(field, std::to_string(value), std::to_string(min) + " to " + std::to_string(max));
  }
  template <class T> void real_range(const std::string& field, T value, double min, double max) {
    // the negation catches NaN
    if (!(value >= min && value <= max)) fail(field, number(value), number(min) + " to " + number(max));
  }
  template <class E> void known(const std::string& field, E value) {
    if (!is_known(value)) fail(field, std::to_string(static_cast<int>(value)), "one of " + join(names_of(E{})));
  }

 private:
  Status status_;
};

void check_norm(Checker& check, const std::string& field, const NormSpec& norm) {
  check.known(field + ".kind", norm.kind);
  check.real_range(field + ".eps", norm.eps, 1e-20, 1.0);
  if (norm.kind == NormKind::rms && norm.bias)
    check.fail(field + ".bias", "true", "false for a norm of kind rms", ErrorCode::unsupported);
}

void check_rope(Checker& check, const std::string& field, const RopeSpec& rope, int head_dim) {
  check.known(field + ".style", rope.style);
  if (rope.dims < 2 || rope.dims > head_dim || rope.dims % 2 != 0)
    check.fail(field + ".dims", std::to_string(rope.dims), "an even number from 2 to head_dim " + std::to_string(head_dim));
  check.real_range(field + ".base", rope.base, kMinRopeBase, kMaxRopeBase);
  if (!rope.factors.empty() && rope.factors.size() != static_cast<std::size_t>(rope.dims / 2))
    check.fail(field + ".factors", std::to_string(rope.factors.size()) + " numbers",
               "none or dims/2 = " + std::to_string(rope.dims / 2));
  for (std::size_t i = 0; i < rope.factors.size() && check.status(); ++i)
    check.real_range(field + ".factors[" + std::to_string(i) + "]", rope.factors[i], kMinRopeFactor, kMaxRopeFactor);
  if (!rope.long_factors.empty() && rope.long_factors.size() != static_cast<std::size_t>(rope.dims / 2))
    check.fail(field + ".long_factors", std::to_string(rope.long_factors.size()) + " numbers",
               "none or dims/2 = " + std::to_string(rope.dims / 2));
  for (std::size_t i = 0; i < rope.long_factors.size() && check.status(); ++i)
    check.real_range(field + ".long_factors[" + std::to_string(i) + "]", rope.long_factors[i], kMinRopeFactor, kMaxRopeFactor);
  check.range(field + ".n_short_ctx", rope.n_short_ctx, rope.long_factors.empty() ? 0 : 1,
              rope.long_factors.empty() ? 0 : kMaxCtx);
  check.real_range(field + ".magnitude", rope.magnitude, 1e-3, 1e3);
  if (!rope.yarn) return;
  check.real_range(field + ".yarn_factor", rope.yarn->factor, 1.0, 1e6);
  check.real_range(field + ".yarn_beta_fast", rope.yarn->beta_fast, 1e-3, 1e6);
  check.real_range(field + ".yarn_beta_slow", rope.yarn->beta_slow, 1e-3, rope.yarn->beta_fast);
  check.range(field + ".yarn_original_ctx", rope.yarn->original_ctx, 1, kMaxCtx);
  check.real_range(field + ".base", rope.base, 1.001, kMaxRopeBase);
}

void check_latent(Checker& check, const std::string& field, const AttentionSpec& a, const LatentSpec& latent) {
  check.range(field + ".q_rank", latent.q_rank, 0, kMaxDModel);
  check.range(field + ".v_dim", latent.v_dim, 1, kMaxHeadDim);
  check_norm(check, field + ".latent_norm", latent.norm);
  if (a.n_kv_heads != a.n_heads)
    check.fail(field + ".n_kv_heads", std::to_string(a.n_kv_heads), "n_heads where there is a latent");
  if (!a.rope) check.fail(field + ".rope", "none", "some where there is a latent", ErrorCode::unsupported);
  else if (a.rope->dims >= a.head_dim)
    check.fail(field + ".rope.dims", std::to_string(a.rope->dims), "less than head_dim where there is a latent",
               ErrorCode::unsupported);
  if (check.status()) check.range(field + ".kv_rank", latent.kv_rank, 1, kMaxHeadDim - a.rope->dims);
  if (a.qkv_bias || a.qk_norm || a.qkv_storage != QkvStorage::separate || a.clamp != 0 || a.log_scaling_from != 0)
    check.fail(field, "one with biases, norms or bounds of q, k and v", "none of these where there is a latent",
               ErrorCode::unsupported);
}

void check_mixer(Checker& check, const std::string& field, const AttentionSpec& attention) {
  check.range(field + ".n_heads", attention.n_heads, 1, kMaxHeads);
  check.range(field + ".n_kv_heads", attention.n_kv_heads, 1, kMaxHeads);
  if (check.status() && attention.n_heads % attention.n_kv_heads != 0)
    check.fail(field + ".n_kv_heads", std::to_string(attention.n_kv_heads),
               "a divisor of n_heads " + std::to_string(attention.n_heads));
  check.range(field + ".head_dim", attention.head_dim, 1, kMaxHeadDim);
  check.known(field + ".qkv_storage", attention.qkv_storage);
  if (attention.qk_norm) check_norm(check, field + ".qk_norm", *attention.qk_norm);
  check.known(field + ".qk_norm_scope", attention.qk_norm_scope);
  if (attention.qk_norm && attention.qk_norm_scope == QkNormScope::each_head &&
      (attention.qk_norm->bias || !attention.qk_norm->weight))
    check.fail(field + ".qk_norm", "one with a bias or without weights", "weights alone where each head has its own",
               ErrorCode::unsupported);
  check.real_range(field + ".scale", attention.scale, 1e-6, 1e6);
  check.real_range(field + ".clamp", attention.clamp, 0, kMaxFactor);
  check.real_range(field + ".softcap", attention.softcap, 0, kMaxFactor);
  check.real_range(field + ".alibi_max_bias", attention.alibi_max_bias, 0, 1024);
  check.range(field + ".window", attention.window, 0, kMaxCtx);
  if (attention.log_scaling_from != 0) check.range(field + ".log_scaling_from", attention.log_scaling_from, 2, kMaxCtx);
  if (attention.rope) check_rope(check, field + ".rope", *attention.rope, attention.head_dim);
  if (attention.latent && check.status()) check_latent(check, field, attention, *attention.latent);
}

void check_mixer(Checker& check, const std::string& field, const MambaSpec& mamba) {
  check.range(field + ".d_inner", mamba.d_inner, 1, kMaxDFf);
  check.range(field + ".d_state", mamba.d_state, 1, kMaxDState);
  check.range(field + ".dt_rank", mamba.dt_rank, 1, kMaxDModel);
  check.range(field + ".d_conv", mamba.d_conv, 1, kMaxDConv);
}

void check_mixer(Checker& check, const std::string& field, const Mamba2Spec& mamba) {
  check.range(field + ".n_heads", mamba.n_heads, 1, kMaxHeads);
  check.range(field + ".head_dim", mamba.head_dim, 1, kMaxHeadDim);
  check.range(field + ".d_state", mamba.d_state, 1, kMaxDState);
  check.range(field + ".n_groups", mamba.n_groups, 1, kMaxHeads);
  if (check.status() && mamba.n_heads % mamba.n_groups != 0)
    check.fail(field + ".n_groups", std::to_string(mamba.n_groups), "a divisor of n_heads " + std::to_string(mamba.n_heads));
  check.range(field + ".d_conv", mamba.d_conv, 1, kMaxDConv);
}

void check_mixer(Checker& check, const std::string& field, const ShortConvSpec& conv) {
  check.range(field + ".d_conv", conv.d_conv, 1, kMaxDConv);
}

void check_mixer(Checker& check, const std::string& field, const RgLruSpec& lru) {
  check.range(field + ".d_inner", lru.d_inner, 1, kMaxDFf);
  check.range(field + ".n_blocks", lru.n_blocks, 1, kMaxHeads);
  if (check.status() && lru.d_inner % lru.n_blocks != 0)
    check.fail(field + ".n_blocks", std::to_string(lru.n_blocks), "a divisor of d_inner " + std::to_string(lru.d_inner));
  check.range(field + ".d_conv", lru.d_conv, 1, kMaxDConv);
}

void check_ffn(Checker& check, const std::string& field, const FfnSpec& ffn) {
  check.known(field + ".kind", ffn.kind);
  check.known(field + ".activation", ffn.activation);
  check.range(field + ".d_ff", ffn.d_ff, 1, kMaxDFf);
  check.known(field + ".gate_storage", ffn.gate_storage);
  if (ffn.gate_storage == GateStorage::fused && (ffn.kind != FfnKind::gated || ffn.experts))
    check.fail(field + ".gate_storage", "fused", "separate where there is no gate, or where there are experts");
  if (!ffn.experts) return;
  check.range(field + ".n_experts", ffn.experts->n_experts, 1, kMaxExperts);
  check.range(field + ".n_used", ffn.experts->n_used, 1, ffn.experts->n_experts);
  check.known(field + ".router", ffn.experts->router);
  check.real_range(field + ".scale", ffn.experts->scale, 1e-6, 1e6);
  check.range(field + ".shared_d_ff", ffn.experts->shared_d_ff, 0, kMaxDFf);
  if (ffn.experts->shared_gate && ffn.experts->shared_d_ff == 0)
    check.fail(field + ".shared_gate", "true", "false where shared_d_ff is 0");
  if (ffn.bias) check.fail(field + ".bias", "true", "false where there are experts", ErrorCode::unsupported);
}

void check_block(Checker& check, const std::string& field, const LayerSpec& layer) {
  const BlockSpec& block = *layer.block;
  check_mixer(check, field + ".attention", block.attention);
  check_ffn(check, field + ".ffn", block.ffn);
  check.range(field + ".qkv_rank", block.qkv_rank, 0, kMaxDModel);
  check.range(field + ".ffn_rank", block.ffn_rank, 0, kMaxDModel);
  const auto refuse = [&](bool found, const char* part, const char* what, const char* expected) {
    if (found) check.fail(field + part, what, expected, ErrorCode::unsupported);
  };
  refuse(block.attention.qkv_storage == QkvStorage::fused, ".attention.qkv_storage", "fused", "separate");
  refuse(block.ffn.gate_storage == GateStorage::fused, ".ffn.gate_storage", "fused", "separate");
  refuse(block.ffn.experts.has_value(), ".ffn.n_experts", "there", "none in a block");
  refuse(block.attention.latent.has_value(), ".attention.kv_rank", "there", "none in a block");
  refuse(layer.mixer_from >= 0, "", "there", "none where the mixer is another layer's");
  refuse(layer.ffn.has_value(), "", "there", "none where the layer has an ffn");
  refuse(layer.mixer_as<AttentionSpec>() != nullptr, "", "there", "none where the mixer is attention");
  refuse(layer.placement != NormPlacement::pre, "", "there", "none where the placement is not pre");
}

void check_layer(Checker& check, const std::string& field, const LayerSpec& layer) {
  check.known(field + ".residual", layer.residual);
  check.known(field + ".placement", layer.placement);
  if (layer.placement != NormPlacement::pre && layer.residual != Residual::sequential)
    check.fail(field + ".placement", std::string(name_of(layer.placement)), "pre where the residual is not sequential");
  check_norm(check, field + ".norm", layer.norm);
  check.real_range(field + ".residual_scale", layer.residual_scale, -kMaxFactor, kMaxFactor);
  if (layer.attention() && layer.attention()->latent && layer.residual != Residual::sequential)
    check.fail(field + ".residual", std::string(name_of(layer.residual)), "sequential where there is a latent",
               ErrorCode::unsupported);
  const std::string mixer_field = field + "." + std::string(kMixerNames[layer.mixer.index()]);
  visit_mixer(layer.mixer, [&](const auto& mixer) { check_mixer(check, mixer_field, mixer); });
  if (layer.block) check_block(check, field + ".block", layer);
  if (layer.ffn) {
    check_ffn(check, field + ".ffn", *layer.ffn);
  } else if (layer.residual != Residual::sequential) {
    check.fail(field + ".residual", std::string(name_of(layer.residual)), "sequential where there is no ffn");
  }
}

/// A layer may use the weights of an earlier one that has its own, when both are alike.
void check_sharing(Checker& check, const ModelSpec& model, std::size_t i) {
  const LayerSpec& layer = model.layers[i];
  const std::string field = "layers[" + std::to_string(i) + "]";
  const int last = static_cast<int>(i) - 1;
  if (layer.mixer_from != -1) check.range(field + ".mixer_from", layer.mixer_from, 0, last);
  if (layer.ffn_from != -1) check.range(field + ".ffn_from", layer.ffn_from, 0, last);
  if (layer.block && layer.block->from != -1) check.range(field + ".block.from", layer.block->from, 0, last);
  if (!check.status()) return;
  if (layer.block && layer.block->from >= 0) {
    const LayerSpec& from = model.layers[static_cast<std::size_t>(layer.block->from)];
    if (!from.block || from.block->from >= 0 || from.block->attention != layer.block->attention ||
        from.block->ffn != layer.block->ffn || from.norm != layer.norm)
      check.fail(field + ".block.from", std::to_string(layer.block->from),
                 "a layer of the same norms, attention and FFN that has a block of its own");
  }
  if (layer.mixer_from >= 0) {
    const LayerSpec& from = model.layers[static_cast<std::size_t>(layer.mixer_from)];
    if (from.mixer_from >= 0 || from.mixer != layer.mixer || from.norm != layer.norm || from.residual != layer.residual ||
        from.placement != layer.placement || from.ffn.has_value() != layer.ffn.has_value())
      check.fail(field + ".mixer_from", std::to_string(layer.mixer_from), "a layer of the same norms and mixer that has its own");
  }
  if (layer.ffn_from >= 0) {
    const LayerSpec& from = model.layers[static_cast<std::size_t>(layer.ffn_from)];
    if (from.ffn_from >= 0 || from.ffn != layer.ffn)
      check.fail(field + ".ffn_from", std::to_string(layer.ffn_from), "a layer of the same FFN that has its own");
  }
}

} // namespace

} // namespace spec

bool is_recurrent(const ModelSpec& model) noexcept {
  for (const LayerSpec& layer : model.layers)
    if (!layer.mixer_as<AttentionSpec>()) return true;
  return false;
}

Status validate(const ModelSpec& model) {
  using namespace spec;
  Checker check;
  if (!find_family(model.family)) check.fail("family", gguf::quote(model.family), "one of " + join(family_names()));
  check.range("d_model", model.d_model, 1, kMaxDModel);
  check.range("n_vocab", model.n_vocab, 1, kMaxVocab);
  check.range("n_ctx", model.n_ctx, 1, kMaxCtx);
  const EmbeddingSpec& embedding = model.embedding;
  check.range("embedding.first_position", embedding.first_position, 0, embedding.n_positions == 0 ? 0 : 1024);
  if (embedding.n_positions != 0)
    check.range("embedding.n_positions", embedding.n_positions, model.n_ctx + embedding.first_position, kMaxCtx);
  check.range("embedding.d_embedding", embedding.d_embedding, 0, model.d_model);
  if (embedding.d_embedding != 0 && embedding.norm)
    check.fail("embedding.norm", "there", "none where embedding.d_embedding is not 0", ErrorCode::unsupported);
  check.real_range("embedding.scale", embedding.scale, -kMaxFactor, kMaxFactor);
  if (embedding.norm) check_norm(check, "embedding.norm", *embedding.norm);
  check.range("layers", static_cast<std::int64_t>(model.layers.size()), 1, kMaxLayers);
  for (std::size_t i = 0; i < model.layers.size() && check.status(); ++i)
    check_layer(check, "layers[" + std::to_string(i) + "]", model.layers[i]);
  for (std::size_t i = 0; i < model.layers.size() && check.status(); ++i) check_sharing(check, model, i);
  if (model.head.norm) check_norm(check, "head.norm", *model.head.norm);
  check.real_range("head.scale", model.head.scale, -kMaxFactor, kMaxFactor);
  check.real_range("head.softcap", model.head.softcap, 0, kMaxFactor);
  return check.status();
}

} // namespace mote

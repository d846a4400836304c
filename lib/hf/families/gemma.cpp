// Gemma 1, 2 and 3 (text). The models add 1 to the weights of their norms; GGUF files have it added.
#include <cmath>

#include "lib/hf/family.h"

namespace mote::hf {

namespace {

float plus_one(float x) { return 1 + x; }

/// to: of GGUF files, from: what follows the layer's number.
void norm(Translation& t, std::string_view to, std::string_view from) { t.module(to, {{from, {}, Stored::rows, plus_one}}); }

void activation(Translation& t) {
  // "gelu" in early configs means this one, too
  const std::string_view key = t.config().any_of({"hidden_activation", "hidden_act"});
  t.config().expect_word(key, "gelu_pytorch_tanh", {"gelu_pytorch_tanh", "gelu"});
}

void tensors(Translation& t) {
  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  norm(t, "blk.{i}.attn_norm", "{p}layers.{i}.input_layernorm");
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj"}});
  t.module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  t.ignore("{p}layers.{i}.self_attn.rotary_emb.inv_freq");
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
  norm(t, "output_norm", "{p}norm");
  t.head("lm_head", true);
}

void sandwich_norms(Translation& t) {
  norm(t, "blk.{i}.post_attention_norm", "{p}layers.{i}.post_attention_layernorm");
  norm(t, "blk.{i}.ffn_norm", "{p}layers.{i}.pre_feedforward_layernorm");
  norm(t, "blk.{i}.post_ffw_norm", "{p}layers.{i}.post_feedforward_layernorm");
}

/// The layers that attend to a window come first in each turn, the last one of it attends to all.
void windows(Translation& t, int turn) {
  Config& config = t.config();
  t.set("attention.sliding_window", config.integer("sliding_window"));
  turn = config.integer_or(config.any_of({"sliding_window_pattern", "_sliding_window_pattern"}), turn);
  t.set("attention.sliding_window_pattern", turn);
  if (!config.has("layer_types")) return;
  const std::vector<std::string> types = config.strings("layer_types");
  for (std::size_t i = 0; i < types.size(); ++i)
    if ((types[i] == "full_attention") != ((i + 1) % static_cast<std::size_t>(turn) == 0))
      return config.unsupported("layer_types is not supported unless every " + std::to_string(turn) + "th is full_attention");
}

void scores(Translation& t) {
  Config& config = t.config();
  t.set("attention.scale", 1 / std::sqrt(config.real_within("query_pre_attn_scalar", 256.0, 1.0, 1e6)));
  if (config.has("attn_logit_softcapping")) t.set("attn_logit_softcapping", config.real("attn_logit_softcapping"));
  if (config.has("final_logit_softcapping")) t.set("final_logit_softcapping", config.real("final_logit_softcapping"));
}

void translate(Translation& t) {
  t.architecture("gemma");
  activation(t);
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());
  tensors(t);
  norm(t, "blk.{i}.ffn_norm", "{p}layers.{i}.post_attention_layernorm");
}

void translate_2(Translation& t) {
  t.architecture("gemma2");
  activation(t);
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());
  windows(t, 2);
  scores(t);
  tensors(t);
  sandwich_norms(t);
}

void translate_3(Translation& t) {
  t.architecture("gemma3");
  activation(t);
  t.config().expect_flag("use_bidirectional_attention", false, false);
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim(), "full_attention");
  t.set("rope.freq_base_swa",
        t.config().real_or(t.config().any_of({"rope_parameters.sliding_attention.rope_theta", "rope_local_base_freq"}), 10000.0));
  windows(t, 6);
  scores(t);
  tensors(t);
  sandwich_norms(t);
  norm(t, "blk.{i}.attn_q_norm", "{p}layers.{i}.self_attn.q_norm");
  norm(t, "blk.{i}.attn_k_norm", "{p}layers.{i}.self_attn.k_norm");
}

} // namespace

constinit const Family kGemma{"gemma", translate};
constinit const Family kGemma2{"gemma2", translate_2};
constinit const Family kGemma3{"gemma3_text", translate_3};

} // namespace mote::hf

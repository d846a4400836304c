// Attention over latents: DeepSeek-V2-Lite, with experts, and MiniCPM3.
#include <cmath>

#include "lib/hf/family.h"

namespace mote::hf {

namespace {

/// All but the FFN.
void translate_attention(Translation& t, std::string_view architecture) {
  Config& config = t.config();
  t.architecture(architecture);
  config.expect_word("hidden_act", "silu", {"silu"});
  config.expect_flag("attention_bias", false, false);
  t.sizes();
  t.rms_eps();
  const int n_rotated = config.integer("qk_rope_head_dim");
  t.rope(n_rotated);
  t.set("attention.key_length", config.integer("qk_nope_head_dim") + n_rotated);
  t.set("attention.value_length", config.integer_or("v_head_dim", t.d_model() / t.n_heads()));
  t.set("attention.kv_lora_rank", config.integer("kv_lora_rank"));
  if (config.has("q_lora_rank")) t.set("attention.q_lora_rank", config.integer("q_lora_rank"));

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  t.optional_module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.optional_module("blk.{i}.attn_q_a", {{"{p}layers.{i}.self_attn.q_a_proj"}});
  t.optional_module("blk.{i}.attn_q_a_norm", {{"{p}layers.{i}.self_attn.q_a_layernorm"}});
  t.optional_module("blk.{i}.attn_q_b", {{"{p}layers.{i}.self_attn.q_b_proj"}});
  t.module("blk.{i}.attn_kv_a_mqa", {{"{p}layers.{i}.self_attn.kv_a_proj_with_mqa"}});
  t.module("blk.{i}.attn_kv_a_norm", {{"{p}layers.{i}.self_attn.kv_a_layernorm"}});
  t.module("blk.{i}.attn_kv_b", {{"{p}layers.{i}.self_attn.kv_b_proj"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  t.optional_module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.optional_module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.optional_module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
  t.module("output_norm", {{"{p}norm"}});
}

void translate_deepseek_v2(Translation& t) {
  Config& config = t.config();
  translate_attention(t, "deepseek2");
  config.expect_word("topk_method", "greedy", {"greedy"});
  config.expect_word("scoring_func", "softmax", {"softmax"});
  config.expect_flag("norm_topk_prob", false, false);
  t.n_experts("n_routed_experts");
  t.set("expert_used_count", config.integer("num_experts_per_tok"));
  t.set("expert_feed_forward_length", config.integer("moe_intermediate_size"));
  t.set("expert_weights_scale", config.real_or("routed_scaling_factor", 1.0));
  t.set("leading_dense_block_count", config.integer_or("first_k_dense_replace", 0, 0));
  t.optional_module("blk.{i}.ffn_gate_inp", {{"{p}layers.{i}.mlp.gate"}});
  t.optional_module("blk.{i}.ffn_gate_exps", {{"{p}layers.{i}.mlp.experts.{e}.gate_proj"}});
  t.optional_module("blk.{i}.ffn_up_exps", {{"{p}layers.{i}.mlp.experts.{e}.up_proj"}});
  t.optional_module("blk.{i}.ffn_down_exps", {{"{p}layers.{i}.mlp.experts.{e}.down_proj"}});
  t.optional_module("blk.{i}.ffn_gate_shexp", {{"{p}layers.{i}.mlp.shared_experts.gate_proj"}});
  t.optional_module("blk.{i}.ffn_up_shexp", {{"{p}layers.{i}.mlp.shared_experts.up_proj"}});
  t.optional_module("blk.{i}.ffn_down_shexp", {{"{p}layers.{i}.mlp.shared_experts.down_proj"}});
  t.head("lm_head", false);
}

void translate_minicpm3(Translation& t) {
  Config& config = t.config();
  translate_attention(t, "minicpm3");
  t.set("embedding_scale", config.real_or("scale_emb", 1.0));
  if (config.has("scale_depth")) t.set("residual_scale", config.real("scale_depth") / std::sqrt(double(t.n_layers())));
  else t.set("residual_scale", 1.0);
  t.set("logit_scale", config.real_or("dim_model_base", t.d_model()) / t.d_model());
  t.head("lm_head", true);
}

} // namespace

constinit const Family kDeepSeekV2{"deepseek_v2", translate_deepseek_v2};
constinit const Family kMiniCpm3{"minicpm3", translate_minicpm3};

} // namespace mote::hf

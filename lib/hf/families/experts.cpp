// OLMoE, Granite 3 with experts, Phi-3.5-MoE.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

/// The sizes, and all tensors but those of the FFN, of q and of k.
void translate_shell(Translation& t, std::string_view architecture, std::string_view count_key) {
  t.architecture(architecture);
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());
  t.n_experts(count_key);
  t.set("expert_used_count", t.config().integer("num_experts_per_tok"));
  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  t.module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  t.module("output_norm", {{"{p}norm"}});
}

void translate_olmoe(Translation& t) {
  translate_shell(t, "olmoe", "num_experts");
  t.config().expect_flag("norm_topk_prob", false, false);
  if (t.config().has("clip_qkv")) t.set("attention.clamp_kqv", t.config().real("clip_qkv"));
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj"}});
  t.module("blk.{i}.attn_q_norm", {{"{p}layers.{i}.self_attn.q_norm"}});
  t.module("blk.{i}.attn_k_norm", {{"{p}layers.{i}.self_attn.k_norm"}});
  t.module("blk.{i}.ffn_gate_inp", {{"{p}layers.{i}.mlp.gate"}});
  t.module("blk.{i}.ffn_gate_exps", {{"{p}layers.{i}.mlp.experts.{e}.gate_proj"}});
  t.module("blk.{i}.ffn_up_exps", {{"{p}layers.{i}.mlp.experts.{e}.up_proj"}});
  t.module("blk.{i}.ffn_down_exps", {{"{p}layers.{i}.mlp.experts.{e}.down_proj"}});
  t.head("lm_head", false);
}

void translate_granitemoe(Translation& t) {
  translate_shell(t, "granitemoe", "num_local_experts");
  const int n_experts = t.config().integer("num_local_experts", 1, Translation::kMaxExperts);
  const int d_ff = t.config().integer("intermediate_size");
  t.set("attention.scale", t.config().real("attention_multiplier"));
  t.set("embedding_scale", t.config().real("embedding_multiplier"));
  t.set("residual_scale", t.config().real("residual_multiplier"));
  t.set("logit_scale", t.config().real("logits_scaling"));
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj", pairs(t.n_heads(), t.head_dim())}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj", pairs(t.n_kv_heads(), t.head_dim())}});
  t.module("blk.{i}.ffn_gate_inp", {{"{p}layers.{i}.block_sparse_moe.router.layer"}});
  t.module("blk.{i}.ffn_gate_exps", {{"{p}layers.{i}.block_sparse_moe.input_linear", part_of_each(0, n_experts, 2, d_ff)}});
  t.module("blk.{i}.ffn_up_exps", {{"{p}layers.{i}.block_sparse_moe.input_linear", part_of_each(1, n_experts, 2, d_ff)}});
  t.module("blk.{i}.ffn_down_exps", {{"{p}layers.{i}.block_sparse_moe.output_linear"}});
  t.head("lm_head", true);
}

void translate_phimoe(Translation& t) {
  translate_shell(t, "phimoe", "num_local_experts");
  if (t.config().real_or("router_jitter_noise", 0.01) != 0.01)
    t.config().unsupported("router_jitter_noise is not 0.01, which is not supported");
  if (t.config().has("sliding_window")) t.set("attention.sliding_window", t.config().integer("sliding_window"));
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj"}});
  t.module("blk.{i}.ffn_gate_inp", {{"{p}layers.{i}.block_sparse_moe.gate"}});
  t.module("blk.{i}.ffn_gate_exps", {{"{p}layers.{i}.block_sparse_moe.experts.{e}.w1"}});
  t.module("blk.{i}.ffn_down_exps", {{"{p}layers.{i}.block_sparse_moe.experts.{e}.w2"}});
  t.module("blk.{i}.ffn_up_exps", {{"{p}layers.{i}.block_sparse_moe.experts.{e}.w3"}});
  t.head("lm_head", false);
}

} // namespace

constinit const Family kGraniteMoe{"granitemoe", translate_granitemoe};
constinit const Family kOlmoe{"olmoe", translate_olmoe};
constinit const Family kPhiMoe{"phimoe", translate_phimoe};

} // namespace mote::hf

// StableLM 3B, StableLM 2 1.6B and 12B.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

/// A vector for each head, in one tensor.
void head_norms(Translation& t, std::string_view to, std::string_view from, int n_heads) {
  t.n_each(n_heads);
  t.tensor(to, {{from}});
  t.fold(to, t.head_dim());
}

void translate(Translation& t) {
  t.architecture("stablelm");
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.sizes();
  t.layer_eps();
  t.rope(t.partly_rotated(0.25));

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj"}});
  t.module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  t.ignore("{p}layers.{i}.self_attn.rotary_emb.inv_freq");
  if (!t.config().boolean_or("use_parallel_residual", false))
    t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  if (t.config().boolean_or("qk_layernorm", false)) {
    head_norms(t, "blk.{i}.attn_q_norm.weight", "{p}layers.{i}.self_attn.q_layernorm.norms.{e}.weight", t.n_heads());
    head_norms(t, "blk.{i}.attn_k_norm.weight", "{p}layers.{i}.self_attn.k_layernorm.norms.{e}.weight", t.n_kv_heads());
  }
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
  t.module("output_norm", {{"{p}norm"}});
  t.head("lm_head", false);
}

} // namespace

constinit const Family kStableLm{"stablelm", translate};

} // namespace mote::hf

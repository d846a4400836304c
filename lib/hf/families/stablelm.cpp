// StableLM 3B and StableLM 2 1.6B.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("stablelm");
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.config().expect_flag("qk_layernorm", false, false);
  t.config().expect_flag("use_parallel_residual", false, false);
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
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
  t.module("output_norm", {{"{p}norm"}});
  t.head("lm_head", false);
}

} // namespace

constinit const Family kStableLm{"stablelm", translate};

} // namespace mote::hf

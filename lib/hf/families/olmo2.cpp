// OLMo 2.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("olmo2");
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());
  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj"}});
  t.module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.module("blk.{i}.attn_q_norm", {{"{p}layers.{i}.self_attn.q_norm"}});
  t.module("blk.{i}.attn_k_norm", {{"{p}layers.{i}.self_attn.k_norm"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  t.module("blk.{i}.post_attention_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
  t.module("blk.{i}.post_ffw_norm", {{"{p}layers.{i}.post_feedforward_layernorm"}});
  t.module("output_norm", {{"{p}norm"}});
  t.head("lm_head", false);
}

} // namespace

constinit const Family kOlmo2{"olmo2", translate};

} // namespace mote::hf

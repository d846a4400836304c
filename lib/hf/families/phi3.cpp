// Phi-3, Phi-3.5 and Phi-4-mini.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("phi3");
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.sizes();
  t.rms_eps();
  t.rope(t.partly_rotated(1.0));
  if (t.config().has("sliding_window")) t.set("attention.sliding_window", t.config().integer("sliding_window"));
  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  t.module("blk.{i}.attn_qkv", {{"{p}layers.{i}.self_attn.qkv_proj"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.gate_up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
  t.module("output_norm", {{"{p}norm"}});
  t.head("lm_head", false);
}

} // namespace

constinit const Family kPhi3{"phi3", translate};

} // namespace mote::hf

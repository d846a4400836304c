// OLMo: norms without weights. GGUF files have the rows of q and k so that rotated pairs lie side by side.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("olmo");
  Config& c = t.config();
  c.expect_word("hidden_act", "silu", {"silu"});
  t.sizes();
  t.set("attention.layer_norm_epsilon", 1e-5);
  if (c.has("clip_qkv")) t.set("attention.clamp_kqv", c.real("clip_qkv"));
  t.rope(t.head_dim());

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj", pairs(t.n_heads(), t.head_dim())}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj", pairs(t.n_kv_heads(), t.head_dim())}});
  t.module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
  t.head("lm_head", false);
}

} // namespace

constinit const Family kOlmo{"olmo", translate};

} // namespace mote::hf

// Phi-1, 1.5 and 2; GGUF files have q, k and v in one.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("phi2");
  t.config().expect_word("hidden_act", "gelu_new", {"gelu_new", "gelu_pytorch_tanh"});
  t.config().expect_flag("qk_layernorm", false, false);
  t.sizes();
  t.layer_eps();
  t.rope(t.partly_rotated(0.5));

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  t.module("blk.{i}.attn_qkv",
           {{"{p}layers.{i}.self_attn.q_proj"}, {"{p}layers.{i}.self_attn.k_proj"}, {"{p}layers.{i}.self_attn.v_proj"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.dense"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.fc1"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.fc2"}});
  t.module("output_norm", {{"{p}final_layernorm"}});
  t.head("lm_head", false);
}

} // namespace

constinit const Family kPhi{"phi", translate};

} // namespace mote::hf

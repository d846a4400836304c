// Qwen 1.5, 2, 2.5 (biases on q, k and v) and Qwen 3 (a norm on each head of q and k).
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t, std::string_view architecture) {
  t.architecture(architecture);
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.config().expect_flag("use_sliding_window", false, false);
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj"}});
  t.module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.optional_module("blk.{i}.attn_q_norm", {{"{p}layers.{i}.self_attn.q_norm"}});
  t.optional_module("blk.{i}.attn_k_norm", {{"{p}layers.{i}.self_attn.k_norm"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
  t.module("output_norm", {{"{p}norm"}});
  t.head("lm_head", false);
}

void translate_qwen2(Translation& t) { translate(t, "qwen2"); }
void translate_qwen3(Translation& t) { translate(t, "qwen3"); }

} // namespace

constinit const Family kQwen2{"qwen2", translate_qwen2};
constinit const Family kQwen3{"qwen3", translate_qwen3};

} // namespace mote::hf

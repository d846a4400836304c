// GPT-2: matrices are stored with their inputs as rows.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("gpt2");
  Config& c = t.config();
  c.expect_flag("scale_attn_weights", true, true);
  c.expect_flag("scale_attn_by_inverse_layer_idx", false, false);
  t.sizes({.n_ctx = "n_positions", .d_model = "n_embd", .n_layers = "n_layer", .d_ff = "", .n_heads = "n_head"});
  t.set("feed_forward_length", c.integer_or("n_inner", 4 * t.d_model()));
  t.layer_eps("layer_norm_epsilon");
  t.activation("activation_function", "gelu_new"); // Cerebras-GPT: gelu

  t.prefix({"transformer.", ""}, "wte.weight");
  t.module("token_embd", {{"{p}wte"}});
  t.module("position_embd", {{"{p}wpe"}});
  t.module("blk.{i}.attn_norm", {{"{p}h.{i}.ln_1"}});
  t.module("blk.{i}.attn_qkv", {{"{p}h.{i}.attn.c_attn", {}, Stored::columns}});
  t.module("blk.{i}.attn_output", {{"{p}h.{i}.attn.c_proj", {}, Stored::columns}});
  t.module("blk.{i}.ffn_norm", {{"{p}h.{i}.ln_2"}});
  t.module("blk.{i}.ffn_up", {{"{p}h.{i}.mlp.c_fc", {}, Stored::columns}});
  t.module("blk.{i}.ffn_down", {{"{p}h.{i}.mlp.c_proj", {}, Stored::columns}});
  t.module("output_norm", {{"{p}ln_f"}});
  t.head("lm_head", true);
  t.ignore("{p}h.{i}.attn.bias"); // the causal mask
  t.ignore("{p}h.{i}.attn.masked_bias");
}

} // namespace

constinit const Family kGpt2{"gpt2", translate};

} // namespace mote::hf

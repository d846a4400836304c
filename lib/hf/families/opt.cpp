// OPT and Galactica; OPT-350M has its norms behind attention and FFN, none at the end, and a narrower embedding.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("opt");
  Config& c = t.config();
  c.expect_flag("layer_norm_elementwise_affine", true, true);
  t.sizes({.d_ff = "ffn_dim"});
  t.set("attention.layer_norm_epsilon", 1e-5);
  t.activation("activation_function", "relu");

  t.prefix({"model.decoder.", "decoder."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("position_embd", {{"{p}embed_positions"}});
  t.optional_module("project_in", {{"{p}project_in"}});
  t.optional_module("project_out", {{"{p}project_out"}});
  const bool before = c.boolean_or("do_layer_norm_before", true);
  t.module(before ? "blk.{i}.attn_norm" : "blk.{i}.post_attention_norm", {{"{p}layers.{i}.self_attn_layer_norm"}});
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj"}});
  t.module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.out_proj"}});
  t.module(before ? "blk.{i}.ffn_norm" : "blk.{i}.post_ffw_norm", {{"{p}layers.{i}.final_layer_norm"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.fc1"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.fc2"}});
  if (before && !c.boolean_or("_remove_final_layer_norm", false)) t.module("output_norm", {{"{p}final_layer_norm"}});
  t.head("lm_head", true);
}

} // namespace

constinit const Family kOpt{"opt", translate};

} // namespace mote::hf

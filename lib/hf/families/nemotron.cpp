// Nemotron and Minitron: weights of norms are stored less 1.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

float one_more(float x) { return 1 + x; }

void translate(Translation& t) {
  t.architecture("nemotron");
  t.activation("hidden_act", "relu2");
  t.sizes();
  t.layer_eps("norm_eps");
  t.rope(t.partly_rotated(0.5));
  const auto norm = [&](std::string_view to_weight, std::string_view weight, std::string_view to_bias, std::string_view bias) {
    t.tensor(to_weight, {{weight, {}, Stored::rows, one_more}});
    t.tensor(to_bias, {{bias}});
  };

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  norm("blk.{i}.attn_norm.weight", "{p}layers.{i}.input_layernorm.weight", //
       "blk.{i}.attn_norm.bias", "{p}layers.{i}.input_layernorm.bias");
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj"}});
  t.module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  norm("blk.{i}.ffn_norm.weight", "{p}layers.{i}.post_attention_layernorm.weight", //
       "blk.{i}.ffn_norm.bias", "{p}layers.{i}.post_attention_layernorm.bias");
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
  norm("output_norm.weight", "{p}norm.weight", "output_norm.bias", "{p}norm.bias");
  t.head("lm_head", false);
}

} // namespace

constinit const Family kNemotron{"nemotron", translate};

} // namespace mote::hf

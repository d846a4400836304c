// Granite 4 hybrids. The FFN is called the shared one also where there are no experts.
#include <algorithm>
#include <string>
#include <vector>

#include "lib/hf/family.h"
#include "lib/hf/recurrent.h"

namespace mote::hf {

namespace {

std::vector<int> kv_heads(Translation& t) {
  std::vector<int> heads;
  for (const std::string& type : t.config().strings("layer_types")) {
    const bool attends = type == "attention" || type == "full_attention";
    if (!attends && type != "mamba" && type != "linear_attention")
      t.config().unsupported("layer_types has \"" + type + "\"; supported: attention, mamba");
    heads.push_back(attends ? t.n_kv_heads() : 0);
  }
  return heads;
}

/// to.gate and to.up from a matrix that is both; a suffix for each.
void halves(Translation& t, const std::string& suffix, const std::string& from, int d_ff) {
  t.optional_module("blk.{i}.ffn_gate" + suffix, {{from, slice(0, d_ff, 2 * std::int64_t{d_ff})}});
  t.optional_module("blk.{i}.ffn_up" + suffix, {{from, slice(d_ff, d_ff, 2 * std::int64_t{d_ff})}});
}

void translate_ffn(Translation& t) {
  Config& c = t.config();
  const int n_experts = c.integer_or("num_local_experts", 8, 0, Translation::kMaxExperts);
  const int shared = c.integer("shared_intermediate_size");
  const std::string name = "{p}layers.{i}.shared_mlp.";
  t.set("feed_forward_length", n_experts == 0 ? shared : c.integer("intermediate_size"));
  halves(t, n_experts == 0 ? "" : "_shexp", name + "input_linear", shared);
  t.module(std::string("blk.{i}.ffn_down") + (n_experts == 0 ? "" : "_shexp"), {{name + "output_linear"}});
  if (n_experts == 0) return;
  const int d_ff = c.integer("intermediate_size");
  t.set("expert_count", n_experts);
  t.set("expert_used_count", c.integer("num_experts_per_tok"));
  t.set("expert_shared_feed_forward_length", shared);
  t.module("blk.{i}.ffn_gate_inp", {{"{p}layers.{i}.block_sparse_moe.router.layer"}});
  t.module("blk.{i}.ffn_gate_exps", {{"{p}layers.{i}.block_sparse_moe.input_linear", part_of_each(0, n_experts, 2, d_ff)}});
  t.module("blk.{i}.ffn_up_exps", {{"{p}layers.{i}.block_sparse_moe.input_linear", part_of_each(1, n_experts, 2, d_ff)}});
  t.module("blk.{i}.ffn_down_exps", {{"{p}layers.{i}.block_sparse_moe.output_linear"}});
}

void translate(Translation& t) {
  t.architecture("granitehybrid");
  Config& c = t.config();
  c.expect_word("hidden_act", "silu", {"silu"});
  c.expect_word("position_embedding_type", "nope", {"nope"});
  c.expect_flag("attention_bias", false, false);
  c.expect_flag("mamba_conv_bias", true, true);
  c.expect_flag("mamba_proj_bias", false, false);
  t.sizes({.d_ff = ""});
  t.set("attention.head_count_kv", kv_heads(t));
  t.rms_eps();
  t.set("embedding_scale", c.real_or("embedding_multiplier", 1.0));
  t.set("residual_scale", c.real_or("residual_multiplier", 1.0));
  t.set("attention.scale", c.real_or("attention_multiplier", 1.0));
  t.set("logit_scale", c.real_or("logits_scaling", 1.0));

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  for (const char* part : {"q", "k", "v"})
    t.optional_module(std::string("blk.{i}.attn_") + part, {{std::string("{p}layers.{i}.self_attn.") + part + "_proj"}});
  t.optional_module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  mamba2_mixers(t, {"{p}layers.{i}.mamba."},
                {"mamba_n_heads", "mamba_d_head", "mamba_d_state", "mamba_n_groups", "mamba_d_conv"});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  translate_ffn(t);
  t.module("output_norm", {{"{p}norm"}});
  t.head("lm_head", false);
}

} // namespace

constinit const Family kGraniteHybrid{"granitemoehybrid", translate};

} // namespace mote::hf

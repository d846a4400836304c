// Jamba.
#include <string>
#include <vector>

#include "lib/hf/family.h"
#include "lib/hf/recurrent.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("jamba");
  Config& c = t.config();
  c.expect_word("hidden_act", "silu", {"silu"});
  c.expect_flag("mamba_conv_bias", true, true);
  c.expect_flag("mamba_proj_bias", false, false);
  t.sizes();
  const int period = c.integer_or("attn_layer_period", 8), offset = c.integer_or("attn_layer_offset", 4, 0);
  std::vector<int> kv_heads;
  for (int i = 0; i < t.n_layers(); ++i) kv_heads.push_back(i % period == offset ? t.n_kv_heads() : 0);
  t.set("attention.head_count_kv", kv_heads);
  t.rms_eps();
  const int n_experts = c.integer_or("num_experts", 16, 1, Translation::kMaxExperts);
  t.n_each(n_experts);
  if (n_experts > 1) {
    t.set("expert_count", n_experts);
    t.set("expert_used_count", c.integer_or("num_experts_per_tok", 2));
  }
  t.set("ssm.inner_size", c.integer_or("mamba_expand", 2, 1, 1 << 6) * t.d_model());
  t.set("ssm.state_size", c.integer_or("mamba_d_state", 16));
  t.set("ssm.time_step_rank", c.integer("mamba_dt_rank"));
  t.set("ssm.conv_kernel", c.integer_or("mamba_d_conv", 4));

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  for (const char* part : {"q", "k", "v"})
    t.optional_module(std::string("blk.{i}.attn_") + part, {{std::string("{p}layers.{i}.self_attn.") + part + "_proj"}});
  t.optional_module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  mamba_mixers(t, "{p}layers.{i}.mamba.");
  for (const char* part : {"dt", "b", "c"})
    t.optional_module(std::string("blk.{i}.ssm_") + part + "_norm",
                      {{std::string("{p}layers.{i}.mamba.") + part + "_layernorm"}});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.pre_ff_layernorm"}});
  t.optional_module("blk.{i}.ffn_gate_inp", {{"{p}layers.{i}.feed_forward.router"}});
  for (const char* part : {"gate", "up", "down"}) {
    const std::string to = std::string("blk.{i}.ffn_") + part, name = std::string(part) + "_proj";
    t.optional_module(to, {{"{p}layers.{i}.feed_forward." + name}});
    t.optional_module(to + "_exps", {{"{p}layers.{i}.feed_forward.experts.{e}." + name}});
  }
  t.module("output_norm", {{"{p}final_layernorm"}});
  t.head("lm_head", false);
}

} // namespace

constinit const Family kJamba{"jamba", translate};

} // namespace mote::hf

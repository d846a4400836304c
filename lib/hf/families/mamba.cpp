// Mamba and Mamba-2.
#include "lib/hf/family.h"
#include "lib/hf/recurrent.h"

namespace mote::hf {

namespace {

/// What both have; {p}layers.{i}.mixer is left.
void translate(Translation& t, std::string_view architecture) {
  t.architecture(architecture);
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.sizes({.n_ctx = "", .d_ff = "", .n_heads = ""});
  t.set("context_length", 1 << 20); // there is no limit
  t.set("feed_forward_length", 0);
  t.rms_eps("layer_norm_epsilon");

  t.prefix({"backbone."}, "embeddings.weight");
  t.module("token_embd", {{"{p}embeddings"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.norm"}});
  t.module("output_norm", {{"{p}norm_f"}});
  t.head("lm_head", true);
}

void translate_mamba(Translation& t) {
  translate(t, "mamba");
  Config& c = t.config();
  t.set("ssm.inner_size", c.integer("intermediate_size"));
  t.set("ssm.state_size", c.integer("state_size"));
  t.set("ssm.time_step_rank", c.integer("time_step_rank"));
  t.set("ssm.conv_kernel", c.integer("conv_kernel"));
  mamba_mixers(t, "{p}layers.{i}.mixer.");
}

void translate_mamba2(Translation& t) {
  translate(t, "mamba2");
  mamba2_mixers(t, {"{p}layers.{i}.mixer."}, {});
}

} // namespace

constinit const Family kMamba{"mamba", translate_mamba};
constinit const Family kMamba2{"mamba2", translate_mamba2};

} // namespace mote::hf

// Llama and what is built like it, Mistral and Mixtral among them. GGUF files have the rows of q and k so that rotated pairs lie
// side by side.
#include "lib/hf/family.h"
#include "lib/hf/llama_like.h"

namespace mote::hf {

namespace {

/// All but the FFN.
void translate_attention(Translation& t) {
  t.architecture("llama");
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());

  llama_like_attention(t, HeadRows::pairs);
}

void translate(Translation& t) {
  translate_attention(t);
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
}

void window(Translation& t) {
  if (t.config().has("sliding_window")) t.set("attention.sliding_window", t.config().integer("sliding_window"));
}

void translate_mistral(Translation& t) {
  translate(t);
  window(t);
}

void translate_mixtral(Translation& t) {
  translate_attention(t);
  window(t);
  t.n_experts(t.config().integer("num_local_experts", 1, Translation::kMaxExperts));
  t.set("expert_used_count", t.config().integer("num_experts_per_tok"));
  t.module("blk.{i}.ffn_gate_inp", {{"{p}layers.{i}.block_sparse_moe.gate"}});
  t.module("blk.{i}.ffn_gate_exps", {{"{p}layers.{i}.block_sparse_moe.experts.{e}.w1"}});
  t.module("blk.{i}.ffn_down_exps", {{"{p}layers.{i}.block_sparse_moe.experts.{e}.w2"}});
  t.module("blk.{i}.ffn_up_exps", {{"{p}layers.{i}.block_sparse_moe.experts.{e}.w3"}});
}

} // namespace

constinit const Family kLlama{"llama", translate};
constinit const Family kMistral{"mistral", translate_mistral};
constinit const Family kMixtral{"mixtral", translate_mixtral};

} // namespace mote::hf

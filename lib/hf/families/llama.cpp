// Llama and what is built like it: Mistral, Mixtral, MobileLLM and MobiLlama among them. GGUF files have the rows of q and k so
// that rotated pairs lie side by side.
#include <algorithm>
#include <string>
#include <vector>

#include "lib/hf/family.h"
#include "lib/hf/llama_like.h"

namespace mote::hf {

namespace {

/// All but the FFN.
void translate_attention(Translation& t, const SizeNames& sizes = {}) {
  t.architecture("llama");
  t.activation("hidden_act", "silu");
  t.sizes(sizes);
  t.rms_eps();
  t.rope(t.head_dim());

  llama_like_attention(t, HeadRows::pairs);
}

void translate_ffn(Translation& t) {
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
}

/// Its config says model_type llama.
bool is_mobillama(Config& c) {
  if (!c.has("architectures")) return false;
  const std::vector<std::string> names = c.strings("architectures");
  return std::ranges::find(names, "MobiLlamaForCausalLM") != names.end();
}

/// Its code knows as many kv heads as heads, whatever the config says. Where it has one FFN for all layers, that is stored once,
/// as the first layer's.
void translate_mobillama(Translation& t) {
  translate_attention(t, {.n_kv_heads = "num_attention_heads"});
  if (t.n_layers() == 1 || t.has("{p}layers.1.mlp.gate_proj.weight")) return translate_ffn(t);
  std::vector<int> from(static_cast<std::size_t>(t.n_layers()), 0);
  from[0] = -1;
  t.set("feed_forward_from", from);
  t.module("blk.0.ffn_gate", {{"{p}layers.0.mlp.gate_proj"}});
  t.module("blk.0.ffn_up", {{"{p}layers.0.mlp.up_proj"}});
  t.module("blk.0.ffn_down", {{"{p}layers.0.mlp.down_proj"}});
}

void translate(Translation& t) {
  if (is_mobillama(t.config())) return translate_mobillama(t);
  translate_attention(t);
  translate_ffn(t);
}

/// The smaller ones may run each layer twice.
void translate_mobilellm(Translation& t) {
  if (t.config().boolean_or("layer_sharing", false)) t.repeat_layers(2);
  translate(t);
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
  t.n_experts("num_local_experts");
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
constinit const Family kMobileLlm{"mobilellm", translate_mobilellm};

} // namespace mote::hf

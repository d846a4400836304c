// Zamba2. The shared blocks are stored with the first layers that use them, their adapters with them, in the order of the uses.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lib/hf/family.h"
#include "lib/hf/recurrent.h"

namespace mote::hf {

namespace {

/// The layers that have a block.
std::vector<int> hybrid_layers(Translation& t) {
  Config& c = t.config();
  const std::string key(c.any_of({"layers_block_type", "layer_types"}));
  const std::vector<std::string> types = c.strings(key);
  if (types.size() != static_cast<std::size_t>(t.n_layers()))
    c.fail(ErrorCode::bad_file, key + " has " + std::to_string(types.size()) + " words, expected one for each of the " +
                                    std::to_string(t.n_layers()) + " layers");
  std::vector<int> layers;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] == "hybrid") layers.push_back(static_cast<int>(i));
    else if (types[i] != "mamba" && types[i] != "linear_attention")
      c.unsupported(key + " has \"" + types[i] + "\"; supported: mamba, hybrid");
  }
  if (layers.empty()) c.unsupported(key + " has no \"hybrid\"");
  return layers;
}

void set_per_layer(Translation& t, const char* key, const std::vector<int>& hybrid, int value) {
  std::vector<int> values(static_cast<std::size_t>(t.n_layers()), 0);
  for (const int i : hybrid)
    if (static_cast<std::size_t>(i) < values.size()) values[static_cast<std::size_t>(i)] = value;
  t.set(key, values);
}

/// from: "{p}layers.6.shared_transformer."; use: the number of this use of all blocks.
void translate_adapters(Translation& t, int layer, const std::string& from, std::size_t use, int d_ff) {
  const std::string to = "blk." + std::to_string(layer) + ".", end = "_adapter_list." + std::to_string(use) + ".";
  const std::string ffn = from + "feed_forward.gate_up_proj" + end;
  for (const char* part : {"q", "k", "v"}) {
    const std::string name = from + "self_attn.linear_" + part + end;
    t.optional_tensor(to + "attn_" + part + "_adapter_in.weight", {{name + "0.weight"}});
    t.optional_tensor(to + "attn_" + part + "_adapter_out.weight", {{name + "1.weight"}});
  }
  t.tensor(to + "ffn_adapter_in.weight", {{ffn + "0.weight"}});
  t.tensor(to + "ffn_gate_adapter_out.weight", {{ffn + "1.weight", slice(0, d_ff, 2 * std::int64_t{d_ff})}});
  t.tensor(to + "ffn_up_adapter_out.weight", {{ffn + "1.weight", slice(d_ff, d_ff, 2 * std::int64_t{d_ff})}});
}

void translate_block(Translation& t, int d_ff) {
  const std::string block = "{p}layers.{i}.shared_transformer.";
  t.optional_module("blk.{i}.block_norm", {{block + "input_layernorm"}});
  for (const char* part : {"q", "k", "v"})
    t.optional_module(std::string("blk.{i}.attn_") + part, {{block + "self_attn." + part + "_proj"}});
  t.optional_module("blk.{i}.attn_output", {{block + "self_attn.o_proj"}});
  t.optional_module("blk.{i}.ffn_norm", {{block + "pre_ff_layernorm"}});
  t.optional_module("blk.{i}.ffn_gate", {{block + "feed_forward.gate_up_proj", slice(0, d_ff, 2 * std::int64_t{d_ff})}});
  t.optional_module("blk.{i}.ffn_up", {{block + "feed_forward.gate_up_proj", slice(d_ff, d_ff, 2 * std::int64_t{d_ff})}});
  t.optional_module("blk.{i}.ffn_down", {{block + "feed_forward.down_proj"}});
  t.optional_module("blk.{i}.block_out", {{"{p}layers.{i}.linear"}});
}

/// What the blocks' keys say; the layers that have one.
std::vector<int> translate_sizes(Translation& t, int d_ff) {
  Config& c = t.config();
  const std::vector<int> hybrid = hybrid_layers(t);
  set_per_layer(t, "feed_forward_length", hybrid, d_ff);
  set_per_layer(t, "attention.head_count_kv", hybrid, t.n_kv_heads());
  const int head_dim = 2 * t.d_model() / t.n_heads();
  t.set("attention.key_length", head_dim);
  t.set("attention.value_length", head_dim);
  t.set("attention.scale", 1 / std::sqrt(head_dim / 2.0));
  const int rank = c.integer_or("adapter_rank", 128);
  t.set("shared_block.count", c.integer_or("num_mem_blocks", 1, 1, static_cast<int>(std::max<std::size_t>(1, hybrid.size()))));
  t.set("shared_block.qkv_rank", c.boolean_or("use_shared_attention_adapter", false) ? rank : 0);
  t.set("shared_block.ffn_rank", rank);
  if (c.boolean_or("use_mem_rope", false)) t.rope(head_dim);
  return hybrid;
}

void translate(Translation& t) {
  t.architecture("zamba2");
  Config& c = t.config();
  c.expect_word("hidden_act", "gelu", {"gelu"});
  c.expect_flag("add_bias_linear", false, false);
  c.expect_flag("use_long_context", false, false);
  t.sizes({.d_ff = ""});
  t.rms_eps();
  // what Mamba-2 normalizes has an eps of its own there, which no key says
  if (c.real("rms_norm_eps") != 1e-5) c.unsupported("rms_norm_eps is not 1e-05, which is not supported");
  const int d_ff = c.integer_or("intermediate_size", 4 * t.d_model());
  if (!c.status()) return;
  const std::vector<int> hybrid = translate_sizes(t, d_ff);
  if (!c.status()) return;

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.optional_module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  t.optional_module("blk.{i}.attn_norm", {{"{p}layers.{i}.mamba_decoder.input_layernorm"}});
  mamba2_mixers(t, {"{p}layers.{i}.mamba.", "{p}layers.{i}.mamba_decoder.mamba."},
                {"n_mamba_heads", "mamba_headdim", "mamba_d_state", "mamba_ngroups", "mamba_d_conv"});
  translate_block(t, d_ff);
  const auto n_stored = static_cast<std::size_t>(c.integer_or("num_mem_blocks", 1));
  for (std::size_t use = 0; use < hybrid.size(); ++use) {
    const std::string owner = std::to_string(hybrid[use % n_stored]);
    translate_adapters(t, hybrid[use], "{p}layers." + owner + ".shared_transformer.", use, d_ff);
  }
  t.module("output_norm", {{"{p}final_layernorm"}});
  t.head("lm_head", true);
}

} // namespace

constinit const Family kZamba2{"zamba2", translate};

} // namespace mote::hf

// RecurrentGemma. The gates' matrices are stored with their inputs as rows, and norms without the 1 that is added to their
// weights.
#include <cmath>
#include <string>
#include <vector>

#include "lib/hf/family.h"
#include "quant/quant.h"

namespace mote::hf {

namespace {

float plus_one(float x) { return 1.0f + x; }

/// Kv heads of each layer, 0 for those that are recurrent: block_types again and again.
std::vector<int> kv_heads(Translation& t) {
  std::vector<std::string> types{"recurrent", "recurrent", "attention"};
  if (t.config().has("block_types")) types = t.config().strings("block_types");
  std::vector<int> heads;
  for (const std::string& type : types)
    if (type != "recurrent" && type != "attention")
      t.config().unsupported("block_types has \"" + type + "\"; supported: recurrent, attention");
  for (int i = 0; i < t.n_layers() && !types.empty(); ++i)
    heads.push_back(types[static_cast<std::size_t>(i) % types.size()] == "attention" ? t.n_kv_heads() : 0);
  return heads;
}

void translate_layers(Translation& t) {
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.temporal_pre_norm", {}, Stored::rows, plus_one}});
  for (const char* part : {"q", "k", "v"})
    t.optional_module(std::string("blk.{i}.attn_") + part, {{std::string("{p}layers.{i}.temporal_block.") + part + "_proj"}});
  t.optional_module("blk.{i}.attn_output", {{"{p}layers.{i}.temporal_block.o_proj"}});
  t.optional_module("blk.{i}.rglru_in", {{"{p}layers.{i}.temporal_block.linear_x"}, {"{p}layers.{i}.temporal_block.linear_y"}});
  t.optional_module("blk.{i}.rglru_conv1d", {{"{p}layers.{i}.temporal_block.conv_1d"}});
  t.optional_tensor("blk.{i}.rglru_input_gate.weight",
                    {{"{p}layers.{i}.temporal_block.rg_lru.input_gate_weight", {}, Stored::columns}});
  t.optional_tensor("blk.{i}.rglru_input_gate.bias", {{"{p}layers.{i}.temporal_block.rg_lru.input_gate_bias"}});
  t.optional_tensor("blk.{i}.rglru_recurrence_gate.weight",
                    {{"{p}layers.{i}.temporal_block.rg_lru.recurrent_gate_weight", {}, Stored::columns}});
  t.optional_tensor("blk.{i}.rglru_recurrence_gate.bias", {{"{p}layers.{i}.temporal_block.rg_lru.recurrent_gate_bias"}});
  t.optional_tensor("blk.{i}.rglru_a", {{"{p}layers.{i}.temporal_block.rg_lru.recurrent_param"}});
  t.optional_module("blk.{i}.rglru_out", {{"{p}layers.{i}.temporal_block.linear_out"}});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.channel_pre_norm", {}, Stored::rows, plus_one}});
  for (const char* part : {"gate", "up", "down"})
    t.module(std::string("blk.{i}.ffn_") + part, {{std::string("{p}layers.{i}.mlp_block.") + part + "_proj"}});
}

void translate(Translation& t) {
  t.architecture("recurrentgemma");
  Config& c = t.config();
  c.expect_word("hidden_activation", "gelu_pytorch_tanh", {"gelu_pytorch_tanh"});
  c.expect_flag("attention_bias", false, false);
  t.sizes({.n_ctx = "", .d_ff = ""});
  t.set("context_length", c.integer_or("max_position_embeddings", 8192));
  const std::vector<int> heads = kv_heads(t);
  if (!heads.empty()) t.set("attention.head_count_kv", heads);
  t.set("attention.key_length", t.head_dim());
  t.set("attention.value_length", t.head_dim());
  t.set("attention.sliding_window", c.integer_or("attention_window_size", 2048));
  t.set("feed_forward_length", c.integer("intermediate_size", 2) / 2);
  t.set("rglru.inner_size", c.integer_or("lru_width", t.d_model()));
  t.set("rglru.block_count", t.n_heads());
  t.set("rglru.conv_kernel", c.integer_or("conv1d_width", 4));
  // the models keep this number in bfloat16
  const auto scale = static_cast<float>(std::sqrt(static_cast<double>(t.d_model())));
  t.set("embedding_scale", static_cast<double>(quant::f32_from_bf16(quant::bf16_from_f32(scale))));
  t.set("final_logit_softcapping", c.real_or("logits_soft_cap", 30.0));
  t.rms_eps();
  t.rope(t.partly_rotated(0.5));

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  translate_layers(t);
  t.module("output_norm", {{"{p}final_norm", {}, Stored::rows, plus_one}});
  t.head("lm_head", true);
}

} // namespace

constinit const Family kRecurrentGemma{"recurrent_gemma", translate};

} // namespace mote::hf

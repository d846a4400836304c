// GPT-NeoX (Pythia, Dolly): q, k and v of each head lie together; GGUF files have all q, all k, all v.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("gptneox");
  t.config().expect_word("hidden_act", "gelu", {"gelu"});
  t.sizes();
  t.set("use_parallel_residual", t.config().boolean_or("use_parallel_residual", true));
  t.layer_eps();
  t.rope(t.partly_rotated(0.25));

  t.prefix({"gpt_neox.", ""}, "embed_in.weight");
  t.module("token_embd", {{"{p}embed_in"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  t.module("blk.{i}.attn_qkv", {{"{p}layers.{i}.attention.query_key_value", parts_first(t.n_heads(), 3, t.head_dim())}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.attention.dense"}});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.dense_h_to_4h"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.dense_4h_to_h"}});
  t.module("output_norm", {{"{p}final_layer_norm"}});
  t.head("embed_out", false);
  for (const char* buffer : {"bias", "masked_bias", "rotary_emb.inv_freq"}) // masks and frequencies
    t.ignore(std::string("{p}layers.{i}.attention.") + buffer);
}

} // namespace

constinit const Family kGptNeox{"gpt_neox", translate};

} // namespace mote::hf

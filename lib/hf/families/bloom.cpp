// Bloom and Bloomz: q, k and v of each head lie together; GGUF files have all q, all k, all v.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("bloom");
  Config& c = t.config();
  c.expect_flag("apply_residual_connection_post_layernorm", false, false);
  const std::string_view d_model = c.any_of({"hidden_size", "n_embed"});
  t.sizes({.n_ctx = "",
           .d_model = d_model,
           .n_layers = c.any_of({"n_layer", "num_hidden_layers"}),
           .d_ff = "",
           .n_heads = c.any_of({"n_head", "num_attention_heads"})});
  t.set("context_length", c.integer_or("seq_length", 2048)); // nothing in the model depends on it
  t.set("feed_forward_length", c.integer_or("n_inner", 4 * t.d_model()));
  t.layer_eps("layer_norm_epsilon");

  t.prefix({"transformer.", ""}, "word_embeddings.weight");
  t.module("token_embd", {{"{p}word_embeddings"}});
  t.module("token_embd_norm", {{"{p}word_embeddings_layernorm"}});
  t.module("blk.{i}.attn_norm", {{"{p}h.{i}.input_layernorm"}});
  t.module("blk.{i}.attn_qkv", {{"{p}h.{i}.self_attention.query_key_value", parts_first(t.n_heads(), 3, t.head_dim())}});
  t.module("blk.{i}.attn_output", {{"{p}h.{i}.self_attention.dense"}});
  t.module("blk.{i}.ffn_norm", {{"{p}h.{i}.post_attention_layernorm"}});
  t.module("blk.{i}.ffn_up", {{"{p}h.{i}.mlp.dense_h_to_4h"}});
  t.module("blk.{i}.ffn_down", {{"{p}h.{i}.mlp.dense_4h_to_h"}});
  t.module("output_norm", {{"{p}ln_f"}});
  t.head("lm_head", true);
}

} // namespace

constinit const Family kBloom{"bloom", translate};

} // namespace mote::hf

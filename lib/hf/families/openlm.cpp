// OpenLM (DCLM). The arguments of its own code stand in the config, below params_args_dict or beside it.
#include "lib/hf/family.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("openlm");
  Config& c = t.config();
  c.expect_word(c.any_of({"params_args_dict.model_norm", "model_norm"}), "default_layer_norm",
                {"gain_only_lp_layer_norm", "gain_only_layer_norm"});
  c.expect_word(c.any_of({"params_args_dict.ffn_type", "ffn_type"}), "swiglu", {"swiglu", "swiglu_torch"});
  c.expect_word(c.any_of({"params_args_dict.positional_embedding_type", "positional_embedding_type"}), "rotary", {"rotary"});
  c.expect_flag(c.any_of({"params_args_dict.qk_norm", "qk_norm", "params_args_dict.apply_qk_norm", "apply_qk_norm"}), false,
                true);
  c.expect_none(c.any_of({"params_args_dict.post_embed_norm", "post_embed_norm"}));
  c.expect_none(c.any_of({"params_args_dict.weight_tying", "weight_tying"}));
  c.expect_none(c.any_of({"params_args_dict.moe_freq", "moe_freq"}));
  t.sizes({.n_ctx = c.any_of({"params_args_dict.seq_len", "seq_len"}),
           .d_model = c.any_of({"params_args_dict.hidden_dim", "params_args_dict.dim", "hidden_dim", "dim"}),
           .n_layers = c.any_of({"params_args_dict.n_layers", "n_layers"}),
           .d_ff = "",
           .n_heads = c.any_of({"params_args_dict.n_heads", "n_heads"}),
           .n_vocab = c.any_of({"params_args_dict.vocab_size", "vocab_size"})});
  const int d_ff = 8 * t.d_model() / 3;
  t.set("feed_forward_length", (d_ff + 255) / 256 * 256);
  t.set("attention.layer_norm_epsilon", c.real_or(c.any_of({"params_args_dict.norm_eps", "norm_eps"}), 1e-5));
  t.set("rope.dimension_count", t.head_dim());
  t.set("rope.freq_base", 10000.0);

  t.prefix({"model.", ""}, "tok_embeddings.weight");
  t.module("token_embd", {{"{p}tok_embeddings"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.attention_norm"}});
  t.module("blk.{i}.attn_qkv", {{"{p}layers.{i}.attention.in_proj"}});
  t.module("blk.{i}.attn_q_norm", {{"{p}layers.{i}.attention.q_norm"}});
  t.module("blk.{i}.attn_k_norm", {{"{p}layers.{i}.attention.k_norm"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.attention.out_proj"}});
  t.ignore("{p}layers.{i}.attention.pos_embed.inv_freq");
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.ffn_norm"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.feed_forward.w12"}}); // gate, then up
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.feed_forward.w3"}});
  t.module("output_norm", {{"{p}norm"}});
  t.module("output", {{"{p}output"}});
}

} // namespace

constinit const Family kOpenLm{"openlm", translate};

} // namespace mote::hf

// Qwen 1. Of the length that it was trained with (seq_length) its own code makes two changes for what is longer: frequencies for
// the whole sequence, and a factor for q by position.
#include <string>
#include <vector>

#include "lib/hf/family.h"
#include "lib/hf/rope_factors.h"

namespace mote::hf {

namespace {

/// For sequences of up to twice the length of training: those of up to four times would have frequencies of their own.
void slower_turns(Translation& t, int n_trained, int n_ctx) {
  constexpr int kMaxHeadDim = 4096; // the spec refuses less
  if (t.head_dim() < 4 || t.head_dim() % 2 != 0 || t.head_dim() > kMaxHeadDim) return;
  if (n_ctx > 2 * n_trained)
    return t.config().unsupported("use_dynamic_ntk with max_position_embeddings " + std::to_string(n_ctx) +
                                  " of more than twice seq_length " + std::to_string(n_trained) + " is not supported");
  const auto n = static_cast<std::size_t>(t.head_dim() / 2);
  t.set("rope.scaling.original_context_length", n_trained);
  t.values("rope_factors_short.weight", std::vector<float>(n, 1.0f));
  t.values("rope_factors_long.weight", ntk_factors(t.head_dim(), 3));
}

void translate(Translation& t) {
  t.architecture("qwen");
  Config& c = t.config();
  c.expect_flag("scale_attn_weights", true, true);
  t.sizes();
  t.rms_eps("layer_norm_epsilon");
  t.set("rope.dimension_count", t.head_dim());
  t.set("rope.freq_base", c.real_or("rotary_emb_base", 10000.0));
  const int n_ctx = c.integer("max_position_embeddings"), n_trained = c.integer_or("seq_length", n_ctx, 2);
  if (n_ctx > n_trained && c.boolean_or("use_logn_attn", true)) t.set("attention.log_scaling_from", n_trained);
  if (n_ctx > n_trained && c.boolean_or("use_dynamic_ntk", true)) slower_turns(t, n_trained, n_ctx);
  if (c.integer_or("kv_channels", t.head_dim()) != t.head_dim() || c.real_or("rotary_pct", 1.0) != 1.0)
    c.unsupported("kv_channels or rotary_pct: only whole heads of hidden_size / num_attention_heads are supported");

  t.prefix({"transformer."}, "wte.weight");
  t.module("token_embd", {{"{p}wte"}});
  t.module("blk.{i}.attn_norm", {{"{p}h.{i}.ln_1"}});
  t.module("blk.{i}.attn_qkv", {{"{p}h.{i}.attn.c_attn"}});
  t.module("blk.{i}.attn_output", {{"{p}h.{i}.attn.c_proj"}});
  t.module("blk.{i}.ffn_norm", {{"{p}h.{i}.ln_2"}});
  t.module("blk.{i}.ffn_gate", {{"{p}h.{i}.mlp.w2"}});
  t.module("blk.{i}.ffn_up", {{"{p}h.{i}.mlp.w1"}});
  t.module("blk.{i}.ffn_down", {{"{p}h.{i}.mlp.c_proj"}});
  t.module("output_norm", {{"{p}ln_f"}});
  t.head("lm_head", false);
  t.ignore("{p}rotary_emb.inv_freq");
}

} // namespace

constinit const Family kQwen{"qwen", translate};

} // namespace mote::hf

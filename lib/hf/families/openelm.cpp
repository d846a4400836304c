// OpenELM: lists of heads and widths; gate and up in one.
#include <algorithm>
#include <string>
#include <vector>

#include "lib/hf/family.h"

namespace mote::hf {

namespace {

/// The multiple of the divisor that is nearest to x, and not much below it.
int divisible(double x, int divisor) {
  const int nearest = std::max(divisor, static_cast<int>(x + divisor / 2) / divisor * divisor);
  return nearest < 0.9 * x ? nearest + divisor : nearest;
}

std::vector<int> widths(Translation& t) {
  Config& c = t.config();
  const int divisor = c.integer("ffn_dim_divisor");
  std::vector<int> all;
  for (const double multiplier : c.reals("ffn_multipliers")) {
    const double width = multiplier * t.d_model();
    if (!(width >= 0 && width <= Config::kMaxInteger)) {
      c.fail(ErrorCode::bad_file,
             "ffn_multipliers has a number that gives a width beyond " + std::to_string(Config::kMaxInteger));
      return {};
    }
    all.push_back(divisible(width, divisor));
  }
  if (static_cast<int>(all.size()) != t.n_layers())
    c.fail(ErrorCode::bad_file, "ffn_multipliers has " + std::to_string(all.size()) + " numbers, expected one for each of the " +
                                    std::to_string(t.n_layers()) + " layers");
  return all;
}

void translate(Translation& t) {
  t.architecture("openelm");
  Config& c = t.config();
  c.expect_word("activation_fn_name", "swish", {"swish", "silu"});
  c.expect_word("normalization_layer_name", "rms_norm", {"rms_norm"});
  c.expect_flag("normalize_qk_projections", true, true);
  c.expect_flag("ffn_with_glu", true, true);
  c.expect_flag("share_input_output_layers", true, true);
  t.sizes(
      {.n_ctx = "max_context_length", .d_model = "model_dim", .n_layers = "num_transformer_layers", .d_ff = "", .n_heads = ""});
  t.set("attention.head_count", c.integers("num_query_heads"));
  t.set("attention.head_count_kv", c.integers("num_kv_heads"));
  const std::vector<int> d_ff = widths(t);
  t.set("feed_forward_length", d_ff);
  t.set("attention.layer_norm_rms_epsilon", 1e-6);
  const int head_dim = c.integer("head_dim");
  for (const char* const key : {"attention.key_length", "attention.value_length", "rope.dimension_count"}) t.set(key, head_dim);
  t.set("rope.freq_base", c.real("rope_freq_constant"));

  t.prefix({"transformer."}, "token_embeddings.weight");
  t.module("token_embd", {{"{p}token_embeddings"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.attn_norm"}});
  t.module("blk.{i}.attn_qkv", {{"{p}layers.{i}.attn.qkv_proj"}});
  t.module("blk.{i}.attn_q_norm", {{"{p}layers.{i}.attn.q_norm"}});
  t.module("blk.{i}.attn_k_norm", {{"{p}layers.{i}.attn.k_norm"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.attn.out_proj"}});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.ffn_norm"}});
  for (std::size_t i = 0; i < d_ff.size(); ++i) {
    const std::string to = "blk." + std::to_string(i), from = "{p}layers." + std::to_string(i) + ".ffn.proj_1.weight";
    t.tensor(to + ".ffn_gate.weight", {{from, slice(0, d_ff[i], 2 * d_ff[i])}});
    t.tensor(to + ".ffn_up.weight", {{from, slice(d_ff[i], d_ff[i], 2 * d_ff[i])}});
  }
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.ffn.proj_2"}});
  t.module("output_norm", {{"{p}norm"}});
  t.ignore("lm_head.weight");
}

} // namespace

constinit const Family kOpenElm{"openelm", translate};

} // namespace mote::hf

// LFM2: short convolutions and attention.
#include <algorithm>
#include <string>
#include <vector>

#include "lib/hf/family.h"

namespace mote::hf {

namespace {

/// The layers that are attention, in either of the words that configs have had; n_kv_heads 0 stands for the others.
std::vector<int> kv_heads(Translation& t) {
  Config& c = t.config();
  std::vector<int> heads(static_cast<std::size_t>(t.n_layers()), 0);
  if (c.has("layer_types")) {
    const std::vector<std::string> types = c.strings("layer_types");
    if (types.size() != heads.size())
      c.fail(ErrorCode::bad_file, "layer_types has " + std::to_string(types.size()) + " words, expected one for each of the " +
                                      std::to_string(heads.size()) + " layers");
    for (std::size_t i = 0; i < std::min(types.size(), heads.size()); ++i) {
      if (types[i] == "full_attention") heads[i] = t.n_kv_heads();
      else if (types[i] != "conv") c.unsupported("layer_types has \"" + types[i] + "\"; supported: conv, full_attention");
    }
    return heads;
  }
  for (const int i : c.integers("full_attn_idxs", 0, t.n_layers() - 1)) heads[static_cast<std::size_t>(i)] = t.n_kv_heads();
  return heads;
}

/// The width of the FFN, which the config may state before an adjustment that it describes.
int ffn_width(Config& c) {
  int width = c.integer(c.any_of({"block_ff_dim", "intermediate_size"}));
  if (!c.boolean_or("block_auto_adjust_ff_dim", true)) return width;
  const int multiple = c.integer_or("block_multiple_of", 256);
  width = static_cast<int>(c.real_within("block_ffn_dim_multiplier", 1.0, 1e-3, 16.0) * (2 * width / 3));
  return (width + multiple - 1) / multiple * multiple;
}

void translate(Translation& t) {
  t.architecture("lfm2");
  Config& c = t.config();
  c.expect_flag("conv_bias", false, false);
  t.sizes({.d_ff = ""});
  t.set("attention.head_count_kv", kv_heads(t));
  t.set("feed_forward_length", ffn_width(c));
  t.set("shortconv.l_cache", c.integer("conv_L_cache"));
  t.rms_eps("norm_eps");
  t.rope(t.head_dim());

  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.operator_norm"}});
  t.optional_module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj"}});
  t.optional_module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj"}});
  t.optional_module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.optional_module("blk.{i}.attn_q_norm", {{"{p}layers.{i}.self_attn.q_layernorm"}});
  t.optional_module("blk.{i}.attn_k_norm", {{"{p}layers.{i}.self_attn.k_layernorm"}});
  t.optional_module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.out_proj"}});
  t.optional_module("blk.{i}.shortconv.in_proj", {{"{p}layers.{i}.conv.in_proj"}});
  t.optional_module("blk.{i}.shortconv.conv", {{"{p}layers.{i}.conv.conv"}});
  t.optional_module("blk.{i}.shortconv.out_proj", {{"{p}layers.{i}.conv.out_proj"}});
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.ffn_norm"}});
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.feed_forward.w1"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.feed_forward.w3"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.feed_forward.w2"}});
  t.module("token_embd_norm", {{"{p}embedding_norm"}});
  t.head("lm_head", true);
}

} // namespace

constinit const Family kLfm2{"lfm2", translate};

} // namespace mote::hf

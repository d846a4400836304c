// Qwen 1.5, 2, 2.5 (biases on q, k and v), those with experts, and Qwen 3 (a norm on each head of q and k).
#include "lib/hf/family.h"
#include "lib/hf/llama_like.h"

namespace mote::hf {

namespace {

/// All but the FFN.
void translate_attention(Translation& t, std::string_view architecture) {
  t.architecture(architecture);
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.config().expect_flag("use_sliding_window", false, false);
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());

  llama_like_attention(t, HeadRows::halves);
}

void translate(Translation& t, std::string_view architecture) {
  translate_attention(t, architecture);
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
}

void translate_qwen2_moe(Translation& t) {
  translate_attention(t, "qwen2moe");
  t.config().expect_flag("norm_topk_prob", false, false);
  t.n_experts("num_experts");
  t.set("expert_used_count", t.config().integer("num_experts_per_tok"));
  t.set("expert_feed_forward_length", t.config().integer("moe_intermediate_size"));
  t.set("expert_shared_feed_forward_length", t.config().integer("shared_expert_intermediate_size"));
  t.module("blk.{i}.ffn_gate_inp", {{"{p}layers.{i}.mlp.gate"}}); // a layer without experts is missed here
  t.module("blk.{i}.ffn_gate_exps", {{"{p}layers.{i}.mlp.experts.{e}.gate_proj"}});
  t.module("blk.{i}.ffn_up_exps", {{"{p}layers.{i}.mlp.experts.{e}.up_proj"}});
  t.module("blk.{i}.ffn_down_exps", {{"{p}layers.{i}.mlp.experts.{e}.down_proj"}});
  t.module("blk.{i}.ffn_gate_inp_shexp", {{"{p}layers.{i}.mlp.shared_expert_gate"}});
  t.module("blk.{i}.ffn_gate_shexp", {{"{p}layers.{i}.mlp.shared_expert.gate_proj"}});
  t.module("blk.{i}.ffn_up_shexp", {{"{p}layers.{i}.mlp.shared_expert.up_proj"}});
  t.module("blk.{i}.ffn_down_shexp", {{"{p}layers.{i}.mlp.shared_expert.down_proj"}});
}

void translate_qwen2(Translation& t) { translate(t, "qwen2"); }
void translate_qwen3(Translation& t) { translate(t, "qwen3"); }

} // namespace

constinit const Family kQwen2{"qwen2", translate_qwen2};
constinit const Family kQwen2Moe{"qwen2_moe", translate_qwen2_moe};
constinit const Family kQwen3{"qwen3", translate_qwen3};

} // namespace mote::hf

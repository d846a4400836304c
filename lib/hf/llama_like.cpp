#include "lib/hf/llama_like.h"

namespace mote::hf {

void llama_like_attention(Translation& t, HeadRows rows, bool tied_unless_said) {
  const bool in_pairs = rows == HeadRows::pairs;
  const RowOrder q = in_pairs ? pairs(t.n_heads(), t.head_dim()) : RowOrder{};
  const RowOrder k = in_pairs ? pairs(t.n_kv_heads(), t.head_dim()) : RowOrder{};
  t.prefix({"model."}, "embed_tokens.weight");
  t.module("token_embd", {{"{p}embed_tokens"}});
  t.module("blk.{i}.attn_norm", {{"{p}layers.{i}.input_layernorm"}});
  t.module("blk.{i}.attn_q", {{"{p}layers.{i}.self_attn.q_proj", q}});
  t.module("blk.{i}.attn_k", {{"{p}layers.{i}.self_attn.k_proj", k}});
  t.module("blk.{i}.attn_v", {{"{p}layers.{i}.self_attn.v_proj"}});
  t.optional_module("blk.{i}.attn_q_norm", {{"{p}layers.{i}.self_attn.q_norm"}});
  t.optional_module("blk.{i}.attn_k_norm", {{"{p}layers.{i}.self_attn.k_norm"}});
  t.module("blk.{i}.attn_output", {{"{p}layers.{i}.self_attn.o_proj"}});
  t.ignore("{p}layers.{i}.self_attn.rotary_emb.inv_freq");
  t.module("blk.{i}.ffn_norm", {{"{p}layers.{i}.post_attention_layernorm"}});
  t.module("output_norm", {{"{p}norm"}});
  t.head("lm_head", tied_unless_said);
}

void llama_like_tensors(Translation& t, HeadRows rows, bool tied_unless_said) {
  llama_like_attention(t, rows, tied_unless_said);
  t.module("blk.{i}.ffn_gate", {{"{p}layers.{i}.mlp.gate_proj"}});
  t.module("blk.{i}.ffn_up", {{"{p}layers.{i}.mlp.up_proj"}});
  t.module("blk.{i}.ffn_down", {{"{p}layers.{i}.mlp.down_proj"}});
}

} // namespace mote::hf

"""OLMo."""
import transformers as t

from common import Case, Gguf, add_sizes, interleave


def write_olmo(name, config, model):
    g = Gguf(name, "olmo")
    w, c = g.writer, config
    add_sizes(w, c)
    w.add_layer_norm_eps(1e-5)
    if c.clip_qkv is not None:
        w.add_clamp_kqv(c.clip_qkv)
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_rope_dimension_count(c.hidden_size // c.num_attention_heads)
    w.add_vocab_size(c.vocab_size)
    g.tensor("token_embd.weight", model.model.embed_tokens.weight)
    if not c.tie_word_embeddings:
        g.linear("output", model.lm_head)
    for i, layer in enumerate(model.model.layers):
        a, b = layer.self_attn, f"blk.{i}"
        g.tensor(f"{b}.attn_q.weight", interleave(a.q_proj.weight, c.num_attention_heads))
        g.tensor(f"{b}.attn_k.weight", interleave(a.k_proj.weight, c.num_key_value_heads))
        g.linear(f"{b}.attn_v", a.v_proj)
        g.linear(f"{b}.attn_output", a.o_proj)
        g.linear(f"{b}.ffn_gate", layer.mlp.gate_proj)
        g.linear(f"{b}.ffn_up", layer.mlp.up_proj)
        g.linear(f"{b}.ffn_down", layer.mlp.down_proj)
    g.finish()


CASES = []
for name, seed, tied, clip, n_kv_heads in (("olmo_tied", 45, True, None, 3), ("olmo_clipped", 46, False, 1.1, 1)):
    CASES.append(
        Case(name, seed,
             t.OlmoConfig(vocab_size=59, hidden_size=36, intermediate_size=44, num_hidden_layers=2, num_attention_heads=3,
                          num_key_value_heads=n_kv_heads, max_position_embeddings=64, tie_word_embeddings=tied, clip_qkv=clip,
                          rope_parameters={"rope_type": "default", "rope_theta": 10000.0}), write_olmo))

"""Bloom."""
import transformers as t

from common import Case, Gguf
from families.partly_rotated import blocks


def write_bloom(name, config, model, copies_embedding=False):
    g = Gguf(name, "bloom")
    w, c, m = g.writer, config, model.transformer
    w.add_context_length(2048)
    w.add_embedding_length(c.hidden_size)
    w.add_feed_forward_length(4 * c.hidden_size)
    w.add_block_count(c.n_layer)
    w.add_head_count(c.n_head)
    w.add_head_count_kv(c.n_head)
    w.add_layer_norm_eps(c.layer_norm_epsilon)
    g.tensor("token_embd.weight", m.word_embeddings.weight)
    if copies_embedding:  # as converters long did
        g.tensor("output.weight", m.word_embeddings.weight)
    g.linear("token_embd_norm", m.word_embeddings_layernorm)
    g.linear("output_norm", m.ln_f)
    for i, layer in enumerate(m.h):
        b, qkv = f"blk.{i}", layer.self_attention.query_key_value
        g.linear(f"{b}.attn_norm", layer.input_layernorm)
        g.tensor(f"{b}.attn_qkv.weight", blocks(qkv.weight, c.n_head))
        g.tensor(f"{b}.attn_qkv.bias", blocks(qkv.bias, c.n_head))
        g.linear(f"{b}.attn_output", layer.self_attention.dense)
        g.linear(f"{b}.ffn_norm", layer.post_attention_layernorm)
        g.linear(f"{b}.ffn_up", layer.mlp.dense_h_to_4h)
        g.linear(f"{b}.ffn_down", layer.mlp.dense_4h_to_h)
    g.finish()


CASES = [
    # six heads: the slopes of the last two are of the other kind
    Case("bloom", 40, t.BloomConfig(vocab_size=53, hidden_size=24, n_layer=2, n_head=6, layer_norm_epsilon=1e-5), write_bloom),
    Case("bloom_copied", 41, t.BloomConfig(vocab_size=47, hidden_size=24, n_layer=2, n_head=2, layer_norm_epsilon=1e-5),
         lambda n, c, m: write_bloom(n, c, m, copies_embedding=True), None),
]

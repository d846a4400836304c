"""GPT-2."""
import transformers as t

from common import Case, Gguf


def write_gpt2(name, config, model):
    g = Gguf(name, "gpt2")
    w, c, m = g.writer, config, model.transformer
    w.add_context_length(c.n_positions)
    w.add_embedding_length(c.n_embd)
    w.add_block_count(c.n_layer)
    w.add_feed_forward_length(c.n_inner)
    w.add_head_count(c.n_head)
    w.add_layer_norm_eps(c.layer_norm_epsilon)
    g.tensor("token_embd.weight", m.wte.weight)
    g.tensor("position_embd.weight", m.wpe.weight, f32=True)
    g.linear("output_norm", m.ln_f)
    for i, layer in enumerate(m.h):
        b = f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.ln_1)
        g.linear(f"{b}.attn_qkv", layer.attn.c_attn, transposed=True)
        g.linear(f"{b}.attn_output", layer.attn.c_proj, transposed=True)
        g.linear(f"{b}.ffn_norm", layer.ln_2)
        g.linear(f"{b}.ffn_up", layer.mlp.c_fc, transposed=True)
        g.linear(f"{b}.ffn_down", layer.mlp.c_proj, transposed=True)
    g.finish()


CASES = [
    Case("gpt2", 5,
         t.GPT2Config(vocab_size=71, n_positions=60, n_embd=30, n_layer=2, n_head=3, n_inner=70, activation_function="gelu_new"),
         write_gpt2),
]

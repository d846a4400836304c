"""OPT and Galactica. GGUF has no convention of others for them; lib/spec/README.md has ours."""
import transformers as t

from common import Case, Gguf


def write_opt(name, config, model):
    g = Gguf(name, "opt")
    w, c, m = g.writer, config, model.model.decoder
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.ffn_dim)
    w.add_head_count(c.num_attention_heads)
    w.add_layer_norm_eps(1e-5)
    if c.activation_function == "gelu":
        w.add_string("opt.feed_forward_activation", "gelu_erf")
    g.tensor("token_embd.weight", m.embed_tokens.weight)
    g.tensor("position_embd.weight", m.embed_positions.weight, f32=True)
    if m.project_in is not None:
        g.linear("project_in", m.project_in)
        g.linear("project_out", m.project_out)
    if m.final_layer_norm is not None:
        g.linear("output_norm", m.final_layer_norm)
    for i, layer in enumerate(m.layers):
        a, b, before = layer.self_attn, f"blk.{i}", c.do_layer_norm_before
        g.linear(f"{b}.attn_norm" if before else f"{b}.post_attention_norm", layer.self_attn_layer_norm)
        g.linear(f"{b}.attn_q", a.q_proj)
        g.linear(f"{b}.attn_k", a.k_proj)
        g.linear(f"{b}.attn_v", a.v_proj)
        g.linear(f"{b}.attn_output", a.out_proj)
        g.linear(f"{b}.ffn_norm" if before else f"{b}.post_ffw_norm", layer.final_layer_norm)
        g.linear(f"{b}.ffn_up", layer.fc1)
        g.linear(f"{b}.ffn_down", layer.fc2)
    g.finish()


CASES = [
    Case("opt", 42,
         t.OPTConfig(vocab_size=57, hidden_size=33, num_hidden_layers=2, ffn_dim=60, num_attention_heads=3,
                     max_position_embeddings=60), write_opt),
    Case("opt_projected", 43,
         t.OPTConfig(vocab_size=57, hidden_size=36, num_hidden_layers=2, ffn_dim=50, num_attention_heads=4, word_embed_proj_dim=22,
                     do_layer_norm_before=False, max_position_embeddings=60, activation_function="gelu"), write_opt),
]

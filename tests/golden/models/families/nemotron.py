"""Nemotron and Minitron."""
import gguf
import transformers as t

from common import Case, Gguf, add_sizes


def write_nemotron(name, config, model):
    g = Gguf(name, "nemotron")
    w, c = g.writer, config
    add_sizes(w, c)
    w.add_key_length(c.head_dim)
    w.add_value_length(c.head_dim)
    w.add_layer_norm_eps(c.norm_eps)
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_rope_dimension_count(int(c.rope_parameters["partial_rotary_factor"] * c.head_dim))
    w.add_rope_scaling_type(gguf.RopeScalingType.NONE)
    w.add_vocab_size(c.vocab_size)

    def norm(name, module):
        g.tensor(f"{name}.weight", module.weight + 1)
        g.tensor(f"{name}.bias", module.bias)

    g.tensor("token_embd.weight", model.model.embed_tokens.weight)
    g.linear("output", model.lm_head)
    norm("output_norm", model.model.norm)
    for i, layer in enumerate(model.model.layers):
        a, b = layer.self_attn, f"blk.{i}"
        norm(f"{b}.attn_norm", layer.input_layernorm)
        g.linear(f"{b}.attn_q", a.q_proj)
        g.linear(f"{b}.attn_k", a.k_proj)
        g.linear(f"{b}.attn_v", a.v_proj)
        g.linear(f"{b}.attn_output", a.o_proj)
        norm(f"{b}.ffn_norm", layer.post_attention_layernorm)
        g.linear(f"{b}.ffn_up", layer.mlp.up_proj)
        g.linear(f"{b}.ffn_down", layer.mlp.down_proj)
    g.finish()


CASES = [
    Case("nemotron", 44,
         t.NemotronConfig(vocab_size=61, hidden_size=36, intermediate_size=50, num_hidden_layers=2, num_attention_heads=3,
                          num_key_value_heads=1, head_dim=12, max_position_embeddings=64, norm_eps=1e-5,
                          rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}),
         write_nemotron),
]

"""Llama and those that differ from it in biases and norms: llama, qwen2, qwen3."""
import numpy as np
import transformers as t

from common import Case, Gguf, add_sizes, interleave, save_pretrained


def llama3_divisors(rope, dims, base):
    """Llama 3's stretching of low frequencies, as divisors of each frequency."""
    divisors = []
    for i in range(dims // 2):
        wavelength = 2 * np.pi * base ** (2 * i / dims)
        low = rope["original_max_position_embeddings"] / rope["low_freq_factor"]
        high = rope["original_max_position_embeddings"] / rope["high_freq_factor"]
        if wavelength < high:
            divisors.append(1.0)
        elif wavelength > low:
            divisors.append(rope["factor"])
        else:
            s = (rope["original_max_position_embeddings"] / wavelength - rope["low_freq_factor"]) / (
                rope["high_freq_factor"] - rope["low_freq_factor"])
            divisors.append(1 / ((1 - s) / rope["factor"] + s))
    return np.array(divisors, dtype=np.float32)


def write_llama_like(name, arch, config, model, rope=None):
    """llama, qwen2 and qwen3 have the same tensors; only llama's q and k rows are reordered."""
    g = Gguf(name, arch)
    w, c = g.writer, config
    head_dim = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    add_sizes(w, c)
    w.add_key_length(head_dim)
    w.add_value_length(head_dim)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    base = c.rope_parameters["rope_theta"]
    w.add_rope_freq_base(base)
    w.add_rope_dimension_count(head_dim)
    w.add_vocab_size(c.vocab_size)
    g.tensor("token_embd.weight", model.model.embed_tokens.weight)
    g.tensor("output_norm.weight", model.model.norm.weight)
    if not c.tie_word_embeddings:
        g.tensor("output.weight", model.lm_head.weight)
    if rope:
        g.tensor("rope_freqs.weight", llama3_divisors(rope, head_dim, base))
    for i, layer in enumerate(model.model.layers):
        a, b = layer.self_attn, f"blk.{i}"
        g.tensor(f"{b}.attn_norm.weight", layer.input_layernorm.weight)
        g.tensor(f"{b}.ffn_norm.weight", layer.post_attention_layernorm.weight)
        if arch == "llama":
            g.tensor(f"{b}.attn_q.weight", interleave(a.q_proj.weight, c.num_attention_heads))
            g.tensor(f"{b}.attn_k.weight", interleave(a.k_proj.weight, c.num_key_value_heads))
        else:
            g.linear(f"{b}.attn_q", a.q_proj)
            g.linear(f"{b}.attn_k", a.k_proj)
        g.linear(f"{b}.attn_v", a.v_proj)
        g.linear(f"{b}.attn_output", a.o_proj)
        if hasattr(a, "q_norm"):
            g.tensor(f"{b}.attn_q_norm.weight", a.q_norm.weight)
            g.tensor(f"{b}.attn_k_norm.weight", a.k_norm.weight)
        g.linear(f"{b}.ffn_gate", layer.mlp.gate_proj)
        g.linear(f"{b}.ffn_up", layer.mlp.up_proj)
        g.linear(f"{b}.ffn_down", layer.mlp.down_proj)
    g.finish()


ROPE = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16}

CASES = [
    Case("llama_gqa", 1,
         t.LlamaConfig(vocab_size=67, hidden_size=42, intermediate_size=58, num_hidden_layers=2, num_attention_heads=6,
                       num_key_value_heads=2, head_dim=20, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=False,
                       rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
         lambda n, c, m: write_llama_like(n, "llama", c, m),
         lambda m, folder: save_pretrained(m, folder, max_shard_size="40KB")),
    Case("llama_scaled_tied", 2,
         t.LlamaConfig(vocab_size=50, hidden_size=36, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                       num_key_value_heads=2, head_dim=28, max_position_embeddings=128, rms_norm_eps=1e-6, tie_word_embeddings=True,
                       rope_parameters=ROPE),
         lambda n, c, m: write_llama_like(n, "llama", c, m, ROPE)),
    Case("qwen2_mqa_tied", 3,
         t.Qwen2Config(vocab_size=83, hidden_size=40, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
                       num_key_value_heads=1, max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=True,
                       rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}),
         lambda n, c, m: write_llama_like(n, "qwen2", c, m)),
    Case("qwen3_mha", 4,
         t.Qwen3Config(vocab_size=61, hidden_size=33, intermediate_size=50, num_hidden_layers=2, num_attention_heads=3,
                       num_key_value_heads=3, head_dim=20, max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=False,
                       rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}),
         lambda n, c, m: write_llama_like(n, "qwen3", c, m)),
]

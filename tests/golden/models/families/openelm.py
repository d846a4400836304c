"""OpenELM (Mehta et al. 2024). transformers has no class for it; the formulas are those of the paper and of its published code: RMS
norms, q and k normalized by head and then rotated, fused q, k, v and gate, up, heads and widths by layer."""
import torch
from torch import nn

from common import Case, Gguf, save_directory
from formulas import RmsNorm, attention, heads, linear, result, rotate_halves

EPS = 1e-6


class Config:
    vocab_size, model_dim, head_dim, max_context_length, rope_freq_constant = 57, 26, 12, 64, 10000
    num_query_heads, num_kv_heads, ffn_multipliers, ffn_dim_divisor = [2, 4, 6], [1, 1, 3], [0.43, 0.99, 2.02], 8

    def as_json(self):
        return {
            "model_type": "openelm", "vocab_size": self.vocab_size, "model_dim": self.model_dim, "head_dim": self.head_dim,
            "max_context_length": self.max_context_length, "rope_max_length": 2 * self.max_context_length,
            "rope_freq_constant": self.rope_freq_constant, "num_transformer_layers": len(self.num_query_heads),
            "num_query_heads": self.num_query_heads, "num_kv_heads": self.num_kv_heads, "num_gqa_groups": 2,
            "qkv_multipliers": [0.5, 1.0], "ffn_multipliers": self.ffn_multipliers, "ffn_dim_divisor": self.ffn_dim_divisor,
            "ffn_with_glu": True, "activation_fn_name": "swish", "normalization_layer_name": "rms_norm",
            "normalize_qk_projections": True, "share_input_output_layers": True}

    def width(self, layer):
        """The multiple of the divisor that is nearest, one more if that is more than a tenth too small."""
        wanted, d = self.ffn_multipliers[layer] * self.model_dim, self.ffn_dim_divisor
        nearest = max(d, int(wanted + d / 2) // d * d)
        return nearest + d if nearest < 0.9 * wanted else nearest


class Attention(nn.Module):
    def __init__(self, c, layer):
        super().__init__()
        self.c, self.n = c, [n * c.head_dim for n in (c.num_query_heads[layer], c.num_kv_heads[layer], c.num_kv_heads[layer])]
        self.qkv_proj = linear(c.model_dim, sum(self.n))
        self.q_norm, self.k_norm = RmsNorm(c.head_dim, EPS), RmsNorm(c.head_dim, EPS)
        self.out_proj = linear(self.n[0], c.model_dim)

    def forward(self, x):
        q, k, v = (heads(part, self.c.head_dim) for part in self.qkv_proj(x).split(self.n, -1))
        base = self.c.rope_freq_constant
        return self.out_proj(attention(rotate_halves(self.q_norm(q), base), rotate_halves(self.k_norm(k), base), v))


class Ffn(nn.Module):
    def __init__(self, c, layer):
        super().__init__()
        self.proj_1, self.proj_2 = linear(c.model_dim, 2 * c.width(layer)), linear(c.width(layer), c.model_dim)

    def forward(self, x):
        gate, up = self.proj_1(x).chunk(2, -1)
        return self.proj_2(nn.functional.silu(gate) * up)


class Layer(nn.Module):
    def __init__(self, c, layer):
        super().__init__()
        self.attn_norm, self.ffn_norm = RmsNorm(c.model_dim, EPS), RmsNorm(c.model_dim, EPS)
        self.attn, self.ffn = Attention(c, layer), Ffn(c, layer)

    def forward(self, x):
        x = x + self.attn(self.attn_norm(x))
        return x + self.ffn(self.ffn_norm(x))


class OpenElm(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.transformer = nn.Module()
        self.transformer.token_embeddings = nn.Embedding(c.vocab_size, c.model_dim)
        self.transformer.layers = nn.ModuleList(Layer(c, i) for i in range(len(c.num_query_heads)))
        self.transformer.norm = RmsNorm(c.model_dim, EPS)

    def forward(self, ids):
        t = self.transformer
        x = t.token_embeddings(ids[0])
        for layer in t.layers:
            x = layer(x)
        return result(t.norm(x) @ t.token_embeddings.weight.T)


def write_openelm(name, config, model):
    g = Gguf(name, "openelm")
    w, c, m = g.writer, config, model.transformer
    n_layers = len(c.num_query_heads)
    w.add_context_length(c.max_context_length)
    w.add_embedding_length(c.model_dim)
    w.add_block_count(n_layers)
    w.add_feed_forward_length([c.width(i) for i in range(n_layers)])
    w.add_head_count(c.num_query_heads)
    w.add_head_count_kv(c.num_kv_heads)
    w.add_rope_freq_base(c.rope_freq_constant)
    w.add_layer_norm_rms_eps(EPS)
    w.add_rope_dimension_count(c.head_dim)
    w.add_key_length(c.head_dim)
    w.add_value_length(c.head_dim)
    g.linear("token_embd", m.token_embeddings)
    g.linear("output_norm", m.norm)
    for i, layer in enumerate(m.layers):
        b, gate_up = f"blk.{i}", layer.ffn.proj_1.weight.chunk(2)
        g.linear(f"{b}.attn_norm", layer.attn_norm)
        g.linear(f"{b}.attn_qkv", layer.attn.qkv_proj)
        g.linear(f"{b}.attn_q_norm", layer.attn.q_norm)
        g.linear(f"{b}.attn_k_norm", layer.attn.k_norm)
        g.linear(f"{b}.attn_output", layer.attn.out_proj)
        g.linear(f"{b}.ffn_norm", layer.ffn_norm)
        g.tensor(f"{b}.ffn_gate.weight", gate_up[0])
        g.tensor(f"{b}.ffn_up.weight", gate_up[1])
        g.linear(f"{b}.ffn_down", layer.ffn.proj_2)
    g.finish()


CASES = [
    Case("openelm", 47, Config(), write_openelm, lambda m, folder: save_directory(folder, Config().as_json(), m.state_dict()),
         OpenElm),
]

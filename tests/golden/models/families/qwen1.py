"""Qwen 1 (Bai et al. 2023). transformers has no class for it; the formulas are those of the report and of its published code: q, k and
v in one with a bias, out = c_proj(w1 x * silu(w2 x)), and for more tokens n than it was trained with (seq_length, S) a base times
alpha^(d/(d-2)), alpha = 2^ceil(log2(n/S) + 1) - 1, and q times log_S(position) at positions (from 1) beyond S."""
import math

import torch
from torch import nn

from common import Case, Gguf, save_directory
from formulas import RmsNorm, attention, heads, linear, result, rotate_halves

EPS, BASE = 1e-6, 10000.0


class Config:
    vocab_size, hidden_size, n_layers, n_heads, intermediate_size = 55, 36, 2, 3, 100  # half of it each of w1 and w2

    def __init__(self, seq_length, n_ctx):
        self.seq_length, self.n_ctx = seq_length, n_ctx
        self.head_dim = self.hidden_size // self.n_heads

    def as_json(self):
        return {"model_type": "qwen", "hidden_size": self.hidden_size, "intermediate_size": self.intermediate_size,
                "num_hidden_layers": self.n_layers, "num_attention_heads": self.n_heads, "vocab_size": self.vocab_size,
                "kv_channels": self.head_dim, "layer_norm_epsilon": EPS, "rotary_emb_base": 10000, "rotary_pct": 1.0,
                "max_position_embeddings": self.n_ctx, "seq_length": self.seq_length, "use_dynamic_ntk": True,
                "use_logn_attn": True, "scale_attn_weights": True, "no_bias": True, "tie_word_embeddings": False}


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.c_attn, self.c_proj = linear(c.hidden_size, 3 * c.hidden_size, bias=True), linear(c.hidden_size, c.hidden_size)

    def forward(self, x):
        q, k, v = (heads(part, self.c.head_dim) for part in self.c_attn(x).chunk(3, -1))
        n, trained, d = x.shape[0], self.c.seq_length, self.c.head_dim
        alpha = max(1, 2 ** math.ceil(math.log2(n / trained) + 1) - 1)
        base = BASE * alpha ** (d / (d - 2))
        factors = torch.tensor([math.log(p, trained) if p > trained else 1.0 for p in range(1, n + 1)])
        return self.c_proj(attention(rotate_halves(q, base) * factors[:, None], rotate_halves(k, base), v))


class Ffn(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c.intermediate_size // 2
        self.w1, self.w2, self.c_proj = linear(c.hidden_size, width), linear(c.hidden_size, width), linear(width, c.hidden_size)

    def forward(self, x):
        return self.c_proj(self.w1(x) * nn.functional.silu(self.w2(x)))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln_1, self.ln_2, self.attn, self.mlp = RmsNorm(c.hidden_size, EPS), RmsNorm(c.hidden_size, EPS), Attention(c), Ffn(c)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Qwen(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.transformer = nn.Module()
        self.transformer.wte = nn.Embedding(c.vocab_size, c.hidden_size)
        self.transformer.h = nn.ModuleList(Layer(c) for _ in range(c.n_layers))
        self.transformer.ln_f = RmsNorm(c.hidden_size, EPS)
        self.lm_head = linear(c.hidden_size, c.vocab_size)

    def forward(self, ids):
        x = self.transformer.wte(ids[0])
        for layer in self.transformer.h:
            x = layer(x)
        return result(self.lm_head(self.transformer.ln_f(x)))


def write_qwen(name, config, model):
    g = Gguf(name, "qwen")
    w, c, m = g.writer, config, model.transformer
    w.add_context_length(c.n_ctx)
    w.add_block_count(c.n_layers)
    w.add_embedding_length(c.hidden_size)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_rope_freq_base(BASE)
    w.add_rope_dimension_count(c.head_dim)
    w.add_head_count(c.n_heads)
    w.add_layer_norm_rms_eps(EPS)
    g.linear("token_embd", m.wte)
    g.linear("output_norm", m.ln_f)
    g.linear("output", model.lm_head)
    for i, layer in enumerate(m.h):
        b = f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.ln_1)
        g.linear(f"{b}.attn_qkv", layer.attn.c_attn)
        g.linear(f"{b}.attn_output", layer.attn.c_proj)
        g.linear(f"{b}.ffn_norm", layer.ln_2)
        g.linear(f"{b}.ffn_gate", layer.mlp.w2)
        g.linear(f"{b}.ffn_up", layer.mlp.w1)
        g.linear(f"{b}.ffn_down", layer.mlp.c_proj)
    g.finish()


CASES = [
    Case("qwen1", 49, Config(64, 64), write_qwen, lambda m, folder: save_directory(folder, Config(64, 64).as_json(), m.state_dict()), Qwen),
    # all that is computed is longer than what it was trained with
    Case("qwen1_beyond", 50, Config(40, 80), None, lambda m, folder: save_directory(folder, Config(40, 80).as_json(), m.state_dict()), Qwen,
         n_prompt=48),
]

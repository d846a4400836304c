"""OpenLM (DCLM, Li et al. 2024). transformers has no class for it; the formulas are those of its published code: LayerNorm with a gain
and no bias, also over all of q and of k before they are rotated, fused q, k, v and gate, up. GGUF has no convention of others for it;
lib/spec/README.md has ours."""
from torch import nn

from common import Case, Gguf, save_directory
from formulas import LayerNorm, attention, heads, linear, result, rotate_halves

EPS, BASE = 1e-5, 10000.0
CONFIG = {"hidden_dim": 12, "n_layers": 2, "n_heads": 2, "seq_len": 64, "vocab_size": 51, "post_embed_norm": False,
          "weight_tying": False, "model_norm": "gain_only_lp_layer_norm", "ffn_type": "swiglu_torch", "qk_norm": True,
          "positional_embedding_type": "rotary"}


class Config:
    vocab_size, dim, n_layers, n_heads = (CONFIG[key] for key in ("vocab_size", "hidden_dim", "n_layers", "n_heads"))
    width = (int(8 * dim / 3) + 255) // 256 * 256


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.head_dim = c.dim // c.n_heads
        self.in_proj, self.out_proj = linear(c.dim, 3 * c.dim), linear(c.dim, c.dim)
        self.q_norm, self.k_norm = LayerNorm(c.dim, EPS), LayerNorm(c.dim, EPS)

    def forward(self, x):
        q, k, v = self.in_proj(x).chunk(3, -1)
        q, k, v = (heads(part, self.head_dim) for part in (self.q_norm(q), self.k_norm(k), v))
        return self.out_proj(attention(rotate_halves(q, BASE), rotate_halves(k, BASE), v))


class Ffn(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.w12, self.w3 = linear(c.dim, 2 * c.width), linear(c.width, c.dim)

    def forward(self, x):
        gate, up = self.w12(x).chunk(2, -1)
        return self.w3(nn.functional.silu(gate) * up)


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.attention, self.feed_forward = Attention(c), Ffn(c)
        self.attention_norm, self.ffn_norm = LayerNorm(c.dim, EPS), LayerNorm(c.dim, EPS)

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.ffn_norm(x))


class OpenLm(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.model = nn.Module()
        self.model.tok_embeddings = nn.Embedding(c.vocab_size, c.dim)
        self.model.layers = nn.ModuleList(Layer(c) for _ in range(c.n_layers))
        self.model.norm = LayerNorm(c.dim, EPS)
        self.model.output = linear(c.dim, c.vocab_size)

    def forward(self, ids):
        x = self.model.tok_embeddings(ids[0])
        for layer in self.model.layers:
            x = layer(x)
        return result(self.model.output(self.model.norm(x)))


def write_openlm(name, config, model):
    g = Gguf(name, "openlm")
    w, c, m = g.writer, config, model.model
    w.add_context_length(CONFIG["seq_len"])
    w.add_embedding_length(c.dim)
    w.add_block_count(c.n_layers)
    w.add_feed_forward_length(c.width)
    w.add_head_count(c.n_heads)
    w.add_layer_norm_eps(EPS)
    w.add_rope_freq_base(BASE)
    w.add_rope_dimension_count(c.dim // c.n_heads)
    g.linear("token_embd", m.tok_embeddings)
    g.linear("output_norm", m.norm)
    g.linear("output", m.output)
    for i, layer in enumerate(m.layers):
        b = f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.attention_norm)
        g.linear(f"{b}.attn_qkv", layer.attention.in_proj)
        g.linear(f"{b}.attn_q_norm", layer.attention.q_norm)
        g.linear(f"{b}.attn_k_norm", layer.attention.k_norm)
        g.linear(f"{b}.attn_output", layer.attention.out_proj)
        g.linear(f"{b}.ffn_norm", layer.ffn_norm)
        g.linear(f"{b}.ffn_up", layer.feed_forward.w12)
        g.linear(f"{b}.ffn_down", layer.feed_forward.w3)
    g.finish()


def save(model, folder):
    save_directory(folder, {"model_type": "openlm", "params": None, "params_args_dict": CONFIG}, model.state_dict())


CASES = [Case("openlm", 48, Config(), write_openlm, save, OpenLm)]

"""Parts of decoders in torch, from the published formulas: for families that transformers has no classes of."""
import types

import torch


def rms_norm(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


class RmsNorm(torch.nn.Module):
    def __init__(self, n, eps):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(n))
        self.eps = eps

    def forward(self, x):
        return rms_norm(x, self.weight, self.eps)


class LayerNorm(torch.nn.Module):
    """Without a bias."""

    def __init__(self, n, eps):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(n))
        self.eps = eps

    def forward(self, x):
        x = x - x.mean(-1, keepdim=True)
        return rms_norm(x, self.weight, self.eps)


def linear(n_in, n_out, bias=False):
    return torch.nn.Linear(n_in, n_out, bias=bias)


def rotate_halves(x, base):
    """RoPE (Su et al. 2021) of x [n_heads, n_tokens, head_dim]; pair i is (i, i + head_dim/2)."""
    dim = x.shape[-1]
    frequencies = 1.0 / base ** (torch.arange(0, dim, 2, dtype=torch.float) / dim)
    angles = torch.arange(x.shape[-2], dtype=torch.float)[:, None] * frequencies
    a, b = x[..., :dim // 2], x[..., dim // 2:]
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


def heads(x, head_dim):
    """[n_tokens, n_heads * head_dim] to [n_heads, n_tokens, head_dim]."""
    return x.unflatten(-1, (-1, head_dim)).transpose(0, 1)


def attention(q, k, v):
    """Causal; each kv head serves as many q heads as there are for one. To [n_tokens, n_q_heads * head_dim]."""
    n_tokens, group = q.shape[1], q.shape[0] // k.shape[0]
    k, v = k.repeat_interleave(group, 0), v.repeat_interleave(group, 0)
    scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    scores = scores.masked_fill(torch.ones(n_tokens, n_tokens).triu(1).bool(), float("-inf"))
    return (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)


def result(logits):
    """As models of transformers give it."""
    return types.SimpleNamespace(logits=logits[None])

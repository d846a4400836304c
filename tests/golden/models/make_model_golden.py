#!/usr/bin/env python3
"""Makes the tiny random models of this folder and what the reference implementation computes for them.

For each model NAME:
  NAME.gguf    F32 weights under the names and with the row order that GGUF files of the family have
  NAME.logits  float32 little endian [n_tokens, n_vocab]: the logits of every token of the prompt, by transformers
  NAME.tokens  text: the prompt's ids on one line, then the 32 ids of its greedy continuation on the next

Run with: pip install torch==2.13.0 transformers==5.23.0 gguf==0.19.0 && python make_model_golden.py
The configurations expose mistakes: odd head sizes, one kv head, biases that are not zero, norm weights that are not one,
partial rotation, scaled frequencies, tied and untied heads, widths that are no multiple of 16 or 32.
"""
import pathlib

import gguf
import numpy as np
import torch
import transformers

HERE = pathlib.Path(__file__).parent
N_PROMPT, N_GREEDY = 24, 32


def randomize(model, seed):
    """Weights that give every part of the model something to do; the default initialisation has zero biases and unit norms."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        with torch.no_grad():
            if "norm" in name or ".ln_" in name:
                p.copy_((1.0 if name.endswith("weight") else 0.0) + 0.2 * noise)
            elif name.endswith("bias"):
                p.copy_(0.2 * noise)
            elif "embed" in name or "wte" in name or "wpe" in name:
                p.copy_(0.3 * noise)
            else:
                p.copy_(1.6 * noise / min(p.shape) ** 0.5)


def interleave(weight, n_heads):
    """Rows of q or k from halves, as transformers rotates them, to pairs side by side, as GGUF files of llama models have them."""
    rows, cols = weight.shape
    return weight.reshape(n_heads, 2, rows // n_heads // 2, cols).swapaxes(1, 2).reshape(rows, cols)


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


class Gguf:
    def __init__(self, name, arch):
        self.writer = gguf.GGUFWriter(HERE / f"{name}.gguf", arch)
        self.writer.add_name(name)
        self.writer.add_file_type(gguf.LlamaFileType.ALL_F32)

    def tensor(self, name, value):
        self.writer.add_tensor(name, np.ascontiguousarray(np.asarray(value, dtype=np.float32)))

    def linear(self, name, module, transposed=False):
        weight = module.weight.detach()
        self.tensor(f"{name}.weight", weight.T if transposed else weight)
        if getattr(module, "bias", None) is not None:
            self.tensor(f"{name}.bias", module.bias.detach())

    def finish(self):
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()


def write_llama_like(name, arch, config, model, rope=None):
    """llama, qwen2 and qwen3 have the same tensors; only llama's q and k rows are reordered."""
    g = Gguf(name, arch)
    w, c = g.writer, config
    head_dim = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_key_value_heads)
    w.add_key_length(head_dim)
    w.add_value_length(head_dim)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    base = c.rope_parameters["rope_theta"]
    w.add_rope_freq_base(base)
    w.add_rope_dimension_count(head_dim)
    w.add_vocab_size(c.vocab_size)
    g.tensor("token_embd.weight", model.model.embed_tokens.weight.detach())
    g.tensor("output_norm.weight", model.model.norm.weight.detach())
    if not c.tie_word_embeddings:
        g.tensor("output.weight", model.lm_head.weight.detach())
    if rope:
        g.tensor("rope_freqs.weight", llama3_divisors(rope, head_dim, base))
    for i, layer in enumerate(model.model.layers):
        a, b = layer.self_attn, f"blk.{i}"
        g.tensor(f"{b}.attn_norm.weight", layer.input_layernorm.weight.detach())
        g.tensor(f"{b}.ffn_norm.weight", layer.post_attention_layernorm.weight.detach())
        if arch == "llama":
            g.tensor(f"{b}.attn_q.weight", interleave(a.q_proj.weight.detach(), c.num_attention_heads))
            g.tensor(f"{b}.attn_k.weight", interleave(a.k_proj.weight.detach(), c.num_key_value_heads))
        else:
            g.linear(f"{b}.attn_q", a.q_proj)
            g.linear(f"{b}.attn_k", a.k_proj)
        g.linear(f"{b}.attn_v", a.v_proj)
        g.linear(f"{b}.attn_output", a.o_proj)
        if hasattr(a, "q_norm"):
            g.tensor(f"{b}.attn_q_norm.weight", a.q_norm.weight.detach())
            g.tensor(f"{b}.attn_k_norm.weight", a.k_norm.weight.detach())
        g.linear(f"{b}.ffn_gate", layer.mlp.gate_proj)
        g.linear(f"{b}.ffn_up", layer.mlp.up_proj)
        g.linear(f"{b}.ffn_down", layer.mlp.down_proj)
    g.finish()


def write_gpt2(name, config, model):
    g = Gguf(name, "gpt2")
    w, c, t = g.writer, config, model.transformer
    w.add_context_length(c.n_positions)
    w.add_embedding_length(c.n_embd)
    w.add_block_count(c.n_layer)
    w.add_feed_forward_length(c.n_inner)
    w.add_head_count(c.n_head)
    w.add_layer_norm_eps(c.layer_norm_epsilon)
    g.tensor("token_embd.weight", t.wte.weight.detach())
    g.tensor("position_embd.weight", t.wpe.weight.detach())
    g.linear("output_norm", t.ln_f)
    for i, layer in enumerate(t.h):
        b = f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.ln_1)
        g.linear(f"{b}.attn_qkv", layer.attn.c_attn, transposed=True)
        g.linear(f"{b}.attn_output", layer.attn.c_proj, transposed=True)
        g.linear(f"{b}.ffn_norm", layer.ln_2)
        g.linear(f"{b}.ffn_up", layer.mlp.c_fc, transposed=True)
        g.linear(f"{b}.ffn_down", layer.mlp.c_proj, transposed=True)
    g.finish()


def write_phi2(name, config, model):
    g = Gguf(name, "phi2")
    w, c = g.writer, config
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_key_value_heads)
    w.add_layer_norm_eps(c.layer_norm_eps)
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_rope_dimension_count(int(c.rope_parameters["partial_rotary_factor"] * c.hidden_size // c.num_attention_heads))
    g.tensor("token_embd.weight", model.model.embed_tokens.weight.detach())
    g.linear("output_norm", model.model.final_layernorm)
    g.linear("output", model.lm_head)
    for i, layer in enumerate(model.model.layers):
        a, b = layer.self_attn, f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.input_layernorm)
        projections = (a.q_proj, a.k_proj, a.v_proj)
        g.tensor(f"{b}.attn_qkv.weight", torch.cat([p.weight.detach() for p in projections]))
        g.tensor(f"{b}.attn_qkv.bias", torch.cat([p.bias.detach() for p in projections]))
        g.linear(f"{b}.attn_output", a.dense)
        g.linear(f"{b}.ffn_up", layer.mlp.fc1)
        g.linear(f"{b}.ffn_down", layer.mlp.fc2)
    g.finish()


def blocks(value, n_heads):
    """Rows of a fused projection from q, k and v of each head to all of q, all of k, all of v, as GGUF files have them."""
    return value.reshape(n_heads, 3, -1, *value.shape[1:]).swapaxes(0, 1).reshape(value.shape)


def add_partly_rotated(w, c):
    """The sizes of models that rotate a part of each head, in the order of the converter."""
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_rope_dimension_count(int(c.rope_parameters["partial_rotary_factor"] * (c.hidden_size // c.num_attention_heads)))
    w.add_head_count(c.num_attention_heads)


def write_gptneox(name, config, model):
    g = Gguf(name, "gptneox")
    w, c = g.writer, config
    add_partly_rotated(w, c)
    w.add_parallel_residual(c.use_parallel_residual)
    w.add_layer_norm_eps(c.layer_norm_eps)
    g.tensor("token_embd.weight", model.gpt_neox.embed_in.weight.detach())
    g.linear("output_norm", model.gpt_neox.final_layer_norm)
    g.linear("output", model.get_output_embeddings())
    for i, layer in enumerate(model.gpt_neox.layers):
        b, qkv = f"blk.{i}", layer.attention.query_key_value
        g.linear(f"{b}.attn_norm", layer.input_layernorm)
        g.linear(f"{b}.ffn_norm", layer.post_attention_layernorm)
        g.tensor(f"{b}.attn_qkv.weight", blocks(qkv.weight.detach(), c.num_attention_heads))
        g.tensor(f"{b}.attn_qkv.bias", blocks(qkv.bias.detach(), c.num_attention_heads))
        g.linear(f"{b}.attn_output", layer.attention.dense)
        g.linear(f"{b}.ffn_up", layer.mlp.dense_h_to_4h)
        g.linear(f"{b}.ffn_down", layer.mlp.dense_4h_to_h)
    g.finish()


def write_stablelm(name, config, model):
    g = Gguf(name, "stablelm")
    w, c = g.writer, config
    add_partly_rotated(w, c)
    w.add_head_count_kv(c.num_key_value_heads)
    w.add_parallel_residual(True)  # converters say so where the published config does not say it, and mean nothing by it
    w.add_layer_norm_eps(c.layer_norm_eps)
    g.tensor("token_embd.weight", model.model.embed_tokens.weight.detach())
    g.linear("output_norm", model.model.norm)
    g.linear("output", model.lm_head)
    for i, layer in enumerate(model.model.layers):
        a, b = layer.self_attn, f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.input_layernorm)
        g.linear(f"{b}.ffn_norm", layer.post_attention_layernorm)
        g.linear(f"{b}.attn_q", a.q_proj)
        g.linear(f"{b}.attn_k", a.k_proj)
        g.linear(f"{b}.attn_v", a.v_proj)
        g.linear(f"{b}.attn_output", a.o_proj)
        g.linear(f"{b}.ffn_gate", layer.mlp.gate_proj)
        g.linear(f"{b}.ffn_up", layer.mlp.up_proj)
        g.linear(f"{b}.ffn_down", layer.mlp.down_proj)
    g.finish()


def write_expected(name, model, seed):
    model.eval()
    generator = torch.Generator().manual_seed(1000 + seed)
    prompt = torch.randint(0, model.config.vocab_size, (1, N_PROMPT), generator=generator)
    ids = prompt
    with torch.no_grad():
        model(prompt).logits[0].numpy().astype("<f4").tofile(HERE / f"{name}.logits")
        for _ in range(N_GREEDY):
            ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], dim=1)
    lines = [" ".join(str(int(t)) for t in part) for part in (ids[0, :N_PROMPT], ids[0, N_PROMPT:])]
    (HERE / f"{name}.tokens").write_text("\n".join(lines) + "\n")


def make(name, seed, config, write, **kwargs):
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    randomize(model, seed)
    write(name, config, model, **kwargs)
    write_expected(name, model, seed)
    print(name, sum(p.numel() for p in model.parameters()), "weights")


def main():
    t = transformers
    make("llama_gqa", 1,
         t.LlamaConfig(vocab_size=67, hidden_size=42, intermediate_size=58, num_hidden_layers=2, num_attention_heads=6,
                       num_key_value_heads=2, head_dim=20, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=False,
                       rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
         lambda n, c, m: write_llama_like(n, "llama", c, m))
    rope = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16}
    make("llama_scaled_tied", 2,
         t.LlamaConfig(vocab_size=50, hidden_size=36, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                       num_key_value_heads=2, head_dim=28, max_position_embeddings=128, rms_norm_eps=1e-6, tie_word_embeddings=True,
                       rope_parameters=rope),
         lambda n, c, m: write_llama_like(n, "llama", c, m, rope))
    make("qwen2_mqa_tied", 3,
         t.Qwen2Config(vocab_size=83, hidden_size=40, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
                       num_key_value_heads=1, max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=True,
                       rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}),
         lambda n, c, m: write_llama_like(n, "qwen2", c, m))
    make("qwen3_mha", 4,
         t.Qwen3Config(vocab_size=61, hidden_size=51, intermediate_size=70, num_hidden_layers=2, num_attention_heads=3,
                       num_key_value_heads=3, head_dim=24, max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=False,
                       rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}),
         lambda n, c, m: write_llama_like(n, "qwen3", c, m))
    make("gpt2", 5,
         t.GPT2Config(vocab_size=71, n_positions=60, n_embd=42, n_layer=2, n_head=3, n_inner=100, activation_function="gelu_new"),
         write_gpt2)
    make("phi2", 6,
         t.PhiConfig(vocab_size=59, hidden_size=60, intermediate_size=110, num_hidden_layers=2, num_attention_heads=3,
                     num_key_value_heads=3, max_position_embeddings=64, layer_norm_eps=1e-5, hidden_act="gelu_new",
                     rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.4}),
         write_phi2)
    for name, seed, parallel in (("gptneox", 7, True), ("gptneox_sequential", 8, False)):
        make(name, seed,
             t.GPTNeoXConfig(vocab_size=53, hidden_size=33, intermediate_size=52, num_hidden_layers=2, num_attention_heads=3,
                             max_position_embeddings=64, layer_norm_eps=1e-5, hidden_act="gelu", use_parallel_residual=parallel,
                             rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.4}),
             write_gptneox)
    for name, seed, n_kv_heads, bias in (("stablelm", 9, 4, False), ("stablelm_gqa_bias", 10, 2, True)):
        make(name, seed,
             t.StableLmConfig(vocab_size=47, hidden_size=36, intermediate_size=50, num_hidden_layers=2, num_attention_heads=4,
                              num_key_value_heads=n_kv_heads, max_position_embeddings=64, layer_norm_eps=1e-5, use_qkv_bias=bias,
                              rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}),
             write_stablelm)


main()

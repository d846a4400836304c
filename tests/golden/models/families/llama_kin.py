"""Relatives of Llama with scales, windows, norms in other places: Gemma, Granite, MiniCPM, Mistral, OLMo 2, Phi-3, SmolLM 3."""
import math

import torch
import transformers as t

from common import Case, Gguf, add_sizes, interleave, save_pretrained


def add_head_sizes(w, c):
    head_dim = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    add_sizes(w, c)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_key_length(head_dim)
    w.add_value_length(head_dim)
    w.add_vocab_size(c.vocab_size)
    return head_dim


def add_tensors(g, c, model, norms, plus=0.0, permuted=False):
    """norms: GGUF's word for each of the layer's norms."""
    g.tensor("token_embd.weight", model.model.embed_tokens.weight)
    g.tensor("output_norm.weight", model.model.norm.weight + plus)
    if not c.tie_word_embeddings:
        g.tensor("output.weight", model.lm_head.weight)
    for i, layer in enumerate(model.model.layers):
        a, m, b = layer.self_attn, layer.mlp, f"blk.{i}"
        for word, norm in norms.items():
            g.tensor(f"{b}.{norm}.weight", getattr(layer, word).weight + plus)
        if hasattr(a, "qkv_proj"):
            g.linear(f"{b}.attn_qkv", a.qkv_proj)
        else:
            q, k = a.q_proj.weight, a.k_proj.weight
            g.tensor(f"{b}.attn_q.weight", interleave(q, c.num_attention_heads) if permuted else q)
            g.tensor(f"{b}.attn_k.weight", interleave(k, c.num_key_value_heads) if permuted else k)
            g.linear(f"{b}.attn_v", a.v_proj)
        if hasattr(a, "q_norm"):
            g.tensor(f"{b}.attn_q_norm.weight", a.q_norm.weight + plus)
            g.tensor(f"{b}.attn_k_norm.weight", a.k_norm.weight + plus)
        g.linear(f"{b}.attn_output", a.o_proj)
        if hasattr(m, "gate_up_proj"):
            g.linear(f"{b}.ffn_up", m.gate_up_proj)
        else:
            g.linear(f"{b}.ffn_gate", m.gate_proj)
            g.linear(f"{b}.ffn_up", m.up_proj)
        g.linear(f"{b}.ffn_down", m.down_proj)
    g.finish()


PRE = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
SANDWICH = {"input_layernorm": "attn_norm", "post_attention_layernorm": "post_attention_norm",
            "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm"}
OUTPUT = {"post_attention_layernorm": "post_attention_norm", "post_feedforward_layernorm": "post_ffw_norm"}


def write_gemma(name, c, model):
    g = Gguf(name, "gemma")
    add_head_sizes(g.writer, c)
    add_tensors(g, c, model, PRE, plus=1.0)


def write_gemma2(name, c, model):
    g = Gguf(name, "gemma2")
    add_head_sizes(g.writer, c)
    g.writer.add_attn_logit_softcapping(c.attn_logit_softcapping)
    g.writer.add_final_logit_softcapping(c.final_logit_softcapping)
    g.writer.add_sliding_window(c.sliding_window)
    add_tensors(g, c, model, SANDWICH, plus=1.0)


def write_gemma3(name, c, model):
    g = Gguf(name, "gemma3")
    add_head_sizes(g.writer, c)
    full = c.rope_parameters["full_attention"]
    g.writer.add_rope_freq_base(full["rope_theta"])
    if full["rope_type"] == "linear":
        g.writer.add_rope_scaling_type(t_linear())
        g.writer.add_rope_scaling_factor(full["factor"])
    g.writer.add_sliding_window(c.sliding_window)
    add_tensors(g, c, model, SANDWICH, plus=1.0)


def t_linear():
    import gguf
    return gguf.RopeScalingType.LINEAR


def write_granite(name, c, model):
    g = Gguf(name, "granite")
    head_dim = add_head_sizes(g.writer, c)
    g.writer.add_rope_dimension_count(head_dim)
    g.writer.add_rope_freq_base(c.rope_parameters["rope_theta"])
    g.writer.add_attention_scale(c.attention_multiplier)
    g.writer.add_embedding_scale(c.embedding_multiplier)
    g.writer.add_residual_scale(c.residual_multiplier)
    g.writer.add_logit_scale(c.logits_scaling)
    add_tensors(g, c, model, PRE, permuted=True)


def write_minicpm(name, c, model):
    """The same arithmetic as Granite's, with MiniCPM's numbers."""
    g = Gguf(name, "minicpm")
    head_dim = add_head_sizes(g.writer, c)
    g.writer.add_rope_dimension_count(head_dim)
    g.writer.add_embedding_scale(c.embedding_multiplier)
    g.writer.add_residual_scale(c.residual_multiplier)
    g.writer.add_logit_scale(c.logits_scaling)
    add_tensors(g, c, model, PRE, permuted=True)


def save_minicpm(model, folder):
    """transformers has no MiniCPM: Granite's directory with the words of MiniCPM's config."""
    import json
    save_pretrained(model, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["model_type"] = "minicpm"
    config["architectures"] = ["MiniCPMForCausalLM"]
    config["scale_emb"] = config.pop("embedding_multiplier")
    config["scale_depth"] = SCALE_DEPTH
    config["dim_model_base"] = DIM_MODEL_BASE
    for word in ("logits_scaling", "residual_multiplier", "attention_multiplier"):
        del config[word]
    path.write_text(json.dumps(config, indent=2) + "\n")


def write_mistral(name, c, model):
    g = Gguf(name, "llama")
    head_dim = add_head_sizes(g.writer, c)
    g.writer.add_rope_dimension_count(head_dim)
    g.writer.add_rope_freq_base(c.rope_parameters["rope_theta"])
    g.writer.add_sliding_window(c.sliding_window)
    add_tensors(g, c, model, PRE, permuted=True)


def write_olmo2(name, c, model):
    g = Gguf(name, "olmo2")
    add_head_sizes(g.writer, c)
    g.writer.add_rope_freq_base(c.rope_parameters["rope_theta"])
    add_tensors(g, c, model, OUTPUT)


def write_phi3(name, c, model):
    g = Gguf(name, "phi3")
    head_dim = add_head_sizes(g.writer, c)
    rope = c.rope_parameters
    g.writer.add_rope_dimension_count(int(rope["partial_rotary_factor"] * head_dim))
    g.writer.add_rope_freq_base(rope["rope_theta"])
    g.writer.add_sliding_window(c.sliding_window)
    g.writer.add_rope_scaling_orig_ctx_len(c.original_max_position_embeddings)
    if rope["rope_type"] == "longrope":
        growth = c.max_position_embeddings / c.original_max_position_embeddings
        g.writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(growth) / math.log(c.original_max_position_embeddings)))
        for word in ("long", "short"):
            g.tensor(f"rope_factors_{word}.weight", torch.tensor(rope[f"{word}_factor"]))
    add_tensors(g, c, model, PRE)


def write_smollm3(name, c, model):
    g = Gguf(name, "smollm3")
    head_dim = add_head_sizes(g.writer, c)
    g.writer.add_rope_dimension_count(head_dim)
    g.writer.add_rope_freq_base(c.rope_parameters["rope_theta"])
    add_tensors(g, c, model, PRE, permuted=True)


SCALE_DEPTH, DIM_MODEL_BASE = 1.4, 16
PLAIN = {"rope_type": "default", "rope_theta": 10000.0}
LONG = {"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.75,
        "short_factor": [1.0, 1.05, 1.2, 1.5, 2.0, 2.5], "long_factor": [1.0, 1.4, 2.2, 4.0, 7.0, 12.0]}

CASES = [
    Case("gemma_mqa", 20,
         t.GemmaConfig(vocab_size=67, hidden_size=36, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
                       num_key_value_heads=1, head_dim=20, max_position_embeddings=64, rms_norm_eps=1e-6, rope_parameters=PLAIN),
         write_gemma),
    Case("gemma2", 21,
         t.Gemma2Config(vocab_size=53, hidden_size=28, intermediate_size=34, num_hidden_layers=3, num_attention_heads=4,
                        num_key_value_heads=2, head_dim=14, max_position_embeddings=64, rms_norm_eps=1e-6, rope_parameters=PLAIN,
                        query_pre_attn_scalar=14, sliding_window=7, final_logit_softcapping=3.0, attn_logit_softcapping=1.5),
         write_gemma2),
    Case("gemma3", 22,
         t.Gemma3TextConfig(vocab_size=47, hidden_size=20, intermediate_size=26, num_hidden_layers=7, num_attention_heads=2,
                            num_key_value_heads=1, head_dim=14, max_position_embeddings=64, rms_norm_eps=1e-6,
                            query_pre_attn_scalar=14, sliding_window=6, rope_parameters={
                                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                                "full_attention": {"rope_type": "linear", "rope_theta": 1000000.0, "factor": 4.0}}),
         write_gemma3),
    Case("granite", 23,
         t.GraniteConfig(vocab_size=71, hidden_size=40, intermediate_size=42, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, rope_parameters=PLAIN,
                         tie_word_embeddings=True, embedding_multiplier=6.0, residual_multiplier=0.375, attention_multiplier=0.125,
                         logits_scaling=4.0),
         write_granite),
    Case("minicpm", 24,
         t.GraniteConfig(vocab_size=53, hidden_size=32, intermediate_size=42, num_hidden_layers=3, num_attention_heads=4,
                         num_key_value_heads=4, max_position_embeddings=64, rms_norm_eps=1e-5, rope_parameters=PLAIN,
                         tie_word_embeddings=True, embedding_multiplier=12.0, residual_multiplier=SCALE_DEPTH / math.sqrt(3),
                         attention_multiplier=8 ** -0.5, logits_scaling=32 / DIM_MODEL_BASE),
         write_minicpm, save_minicpm),
    Case("mistral_window", 25,
         t.MistralConfig(vocab_size=57, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, head_dim=14, max_position_embeddings=64, rms_norm_eps=1e-5, rope_parameters=PLAIN,
                         sliding_window=9),
         write_mistral),
    Case("olmo2", 26,
         t.Olmo2Config(vocab_size=49, hidden_size=40, intermediate_size=52, num_hidden_layers=2, num_attention_heads=5,
                       num_key_value_heads=5, max_position_embeddings=64, rms_norm_eps=1e-6,
                       rope_parameters={"rope_type": "default", "rope_theta": 500000.0}),
         write_olmo2),
    Case("phi3_window", 27,
         t.Phi3Config(vocab_size=63, hidden_size=36, intermediate_size=38, num_hidden_layers=2, num_attention_heads=3,
                      num_key_value_heads=3, max_position_embeddings=64, original_max_position_embeddings=64, rms_norm_eps=1e-5,
                      rope_parameters={**PLAIN, "partial_rotary_factor": 1.0}, sliding_window=10, pad_token_id=0),
         write_phi3),
#the session has as many positions as the model : beyond the original ones, so the long factors hold for all of them
    Case("phi3_long", 28,
         t.Phi3Config(vocab_size=65, hidden_size=48, intermediate_size=38, num_hidden_layers=2, num_attention_heads=3,
                      num_key_value_heads=1, max_position_embeddings=96, original_max_position_embeddings=16, rms_norm_eps=1e-5,
                      rope_parameters=LONG, sliding_window=200, tie_word_embeddings=True, pad_token_id=0),
         write_phi3),
    Case("smollm3", 29,
         t.SmolLM3Config(vocab_size=51, hidden_size=24, intermediate_size=38, num_hidden_layers=5, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-6,
                         rope_parameters={"rope_type": "default", "rope_theta": 50000.0}, pad_token_id=0),
         write_smollm3),
]

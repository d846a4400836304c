"""Those with attention over latents: deepseek2 (with experts), minicpm3."""
import gguf
import transformers as t

from common import Case, Gguf
from families.experts import add_experts, add_shared_expert, make_model, randomize_experts


def add_latent(g, b, a, c, split):
    """split: as the converter has written the last matrices since 2025, which is what an engine without expansion wants."""
    if c.q_lora_rank is None:
        g.linear(f"{b}.attn_q", a.q_proj)
    else:
        g.linear(f"{b}.attn_q_a", a.q_a_proj)
        g.linear(f"{b}.attn_q_a_norm", a.q_a_layernorm)
        g.linear(f"{b}.attn_q_b", a.q_b_proj)
    g.linear(f"{b}.attn_kv_a_mqa", a.kv_a_proj_with_mqa)
    g.linear(f"{b}.attn_kv_a_norm", a.kv_a_layernorm)
    if split:
        heads = a.kv_b_proj.weight.view(c.num_attention_heads, -1, c.kv_lora_rank)
        g.tensor(f"{b}.attn_k_b.weight", heads[:, :c.qk_nope_head_dim].transpose(1, 2))
        g.tensor(f"{b}.attn_v_b.weight", heads[:, c.qk_nope_head_dim:])
    else:
        g.linear(f"{b}.attn_kv_b", a.kv_b_proj)
    g.linear(f"{b}.attn_output", a.o_proj)


def add_dense(g, b, mlp):
    g.linear(f"{b}.ffn_gate", mlp.gate_proj)
    g.linear(f"{b}.ffn_up", mlp.up_proj)
    g.linear(f"{b}.ffn_down", mlp.down_proj)


def add_sizes(w, c):
    w.add_vocab_size(c.vocab_size)
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_rope_dimension_count(c.qk_rope_head_dim)
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_kv_lora_rank(c.kv_lora_rank)
    if c.q_lora_rank is not None:
        w.add_q_lora_rank(c.q_lora_rank)


def write_deepseek2(name, config, model, split):
    g, c = Gguf(name, "deepseek2"), config
    w, d_head = g.writer, c.qk_nope_head_dim + c.qk_rope_head_dim
    add_sizes(w, c)
    if split:
        w.add_head_count_kv(1)
        w.add_key_length(c.kv_lora_rank + c.qk_rope_head_dim)
        w.add_value_length(c.kv_lora_rank)
        w.add_key_length_mla(d_head)
        w.add_value_length_mla(c.v_head_dim)
    else:
        w.add_head_count_kv(c.num_attention_heads)
        w.add_key_length(d_head)
        w.add_value_length(c.v_head_dim)
    w.add_leading_dense_block_count(c.first_k_dense_replace)
    w.add_expert_count(c.n_routed_experts)
    w.add_expert_used_count(c.num_experts_per_tok)
    w.add_expert_shared_count(c.n_shared_experts)
    w.add_expert_feed_forward_length(c.moe_intermediate_size)
    w.add_expert_weights_scale(c.routed_scaling_factor)
    rope = c.rope_parameters
    if rope["rope_type"] == "yarn":
        w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        w.add_rope_scaling_factor(rope["factor"])
        w.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        w.add_rope_scaling_yarn_log_mul(0.1 * rope["mscale_all_dim"])
    g.tensor("token_embd.weight", model.model.embed_tokens.weight)
    g.linear("output_norm", model.model.norm)
    g.linear("output", model.lm_head)
    for i, layer in enumerate(model.model.layers):
        b = f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.input_layernorm)
        g.linear(f"{b}.ffn_norm", layer.post_attention_layernorm)
        add_latent(g, b, layer.self_attn, c, split)
        if i < c.first_k_dense_replace:
            add_dense(g, b, layer.mlp)
        else:
            add_experts(g, b, layer.mlp)
            add_shared_expert(g, b, layer.mlp.shared_experts)
    g.finish()


def write_minicpm3(name, config, model):
    g, c = Gguf(name, "minicpm3"), config
    add_sizes(g.writer, c)
    g.writer.add_head_count_kv(c.num_key_value_heads)
    g.writer.add_key_length(c.qk_nope_head_dim + c.qk_rope_head_dim)
    g.tensor("token_embd.weight", model.model.embed_tokens.weight)
    g.linear("output_norm", model.model.norm)
    for i, layer in enumerate(model.model.layers):
        b = f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.input_layernorm)
        g.linear(f"{b}.ffn_norm", layer.post_attention_layernorm)
        add_latent(g, b, layer.self_attn, c, split=False)
        add_dense(g, b, layer.mlp)
    g.finish()


YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "beta_fast": 32, "beta_slow": 1, "mscale": 0.707,
        "mscale_all_dim": 0.707, "original_max_position_embeddings": 16}


def deepseek(seed, split, q_rank, rope):
    name = f"deepseek2{'_split' if split else ''}"
    config = t.DeepseekV2Config(
        vocab_size=37, hidden_size=30, intermediate_size=38, moe_intermediate_size=14, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=3, q_lora_rank=q_rank, kv_lora_rank=20, qk_nope_head_dim=10, qk_rope_head_dim=6, v_head_dim=9,
        n_routed_experts=5, num_experts_per_tok=2, n_shared_experts=2, first_k_dense_replace=1, norm_topk_prob=False,
        routed_scaling_factor=1.5, topk_method="greedy", max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=False,
        rope_parameters=rope)
    return Case(name, seed, config, lambda n, c, m: write_deepseek2(n, c, m, split), make_model=make_model,
                randomize=randomize_experts)


CASES = [
    deepseek(50, False, None, YARN),
    deepseek(51, True, 12, {"rope_type": "default", "rope_theta": 10000.0}),
    Case("minicpm3", 52,
         t.MiniCPM3Config(vocab_size=43, hidden_size=36, intermediate_size=50, num_hidden_layers=2, num_attention_heads=4,
                          num_key_value_heads=4, q_lora_rank=14, kv_lora_rank=22, qk_nope_head_dim=12, qk_rope_head_dim=8,
                          v_head_dim=9, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=True,
                          rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
         write_minicpm3),
]

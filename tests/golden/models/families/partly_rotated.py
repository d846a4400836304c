"""Those that rotate a part of each head: phi2, gptneox, stablelm."""
import torch
import transformers as t

from common import Case, Gguf, add_sizes


def write_phi2(name, config, model):
    g = Gguf(name, "phi2")
    w, c = g.writer, config
    add_sizes(w, c)
    w.add_layer_norm_eps(c.layer_norm_eps)
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_rope_dimension_count(int(c.rope_parameters["partial_rotary_factor"] * c.hidden_size // c.num_attention_heads))
    g.tensor("token_embd.weight", model.model.embed_tokens.weight)
    g.linear("output_norm", model.model.final_layernorm)
    g.linear("output", model.lm_head)
    for i, layer in enumerate(model.model.layers):
        a, b = layer.self_attn, f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.input_layernorm)
        projections = (a.q_proj, a.k_proj, a.v_proj)
        g.tensor(f"{b}.attn_qkv.weight", torch.cat([p.weight for p in projections]))
        g.tensor(f"{b}.attn_qkv.bias", torch.cat([p.bias for p in projections]))
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
    g.tensor("token_embd.weight", model.gpt_neox.embed_in.weight)
    g.linear("output_norm", model.gpt_neox.final_layer_norm)
    g.linear("output", model.get_output_embeddings())
    for i, layer in enumerate(model.gpt_neox.layers):
        b, qkv = f"blk.{i}", layer.attention.query_key_value
        g.linear(f"{b}.attn_norm", layer.input_layernorm)
        g.linear(f"{b}.ffn_norm", layer.post_attention_layernorm)
        g.tensor(f"{b}.attn_qkv.weight", blocks(qkv.weight, c.num_attention_heads))
        g.tensor(f"{b}.attn_qkv.bias", blocks(qkv.bias, c.num_attention_heads))
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
    g.tensor("token_embd.weight", model.model.embed_tokens.weight)
    g.linear("output_norm", model.model.norm)
    g.linear("output", model.lm_head)
    for i, layer in enumerate(model.model.layers):
        a, b = layer.self_attn, f"blk.{i}"
        g.linear(f"{b}.attn_norm", layer.input_layernorm)
        if layer.post_attention_layernorm:
            g.linear(f"{b}.ffn_norm", layer.post_attention_layernorm)
        if c.qk_layernorm:
            for word, norms in (("q", a.q_layernorm), ("k", a.k_layernorm)):
                g.tensor(f"{b}.attn_{word}_norm.weight", torch.stack([n.weight for n in norms.norms]), f32=True)
        g.linear(f"{b}.attn_q", a.q_proj)
        g.linear(f"{b}.attn_k", a.k_proj)
        g.linear(f"{b}.attn_v", a.v_proj)
        g.linear(f"{b}.attn_output", a.o_proj)
        g.linear(f"{b}.ffn_gate", layer.mlp.gate_proj)
        g.linear(f"{b}.ffn_up", layer.mlp.up_proj)
        g.linear(f"{b}.ffn_down", layer.mlp.down_proj)
    g.finish()


CASES = [
    Case("phi2", 6,
         t.PhiConfig(vocab_size=59, hidden_size=45, intermediate_size=70, num_hidden_layers=2, num_attention_heads=3,
                     num_key_value_heads=3, max_position_embeddings=64, layer_norm_eps=1e-5, hidden_act="gelu_new",
                     rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.4}),
         write_phi2),
]
for name, seed, parallel in (("gptneox", 7, True), ("gptneox_sequential", 8, False)):
    CASES.append(
        Case(name, seed,
             t.GPTNeoXConfig(vocab_size=53, hidden_size=33, intermediate_size=52, num_hidden_layers=2, num_attention_heads=3,
                             max_position_embeddings=64, layer_norm_eps=1e-5, hidden_act="gelu", use_parallel_residual=parallel,
                             rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.4}),
             write_gptneox))
for name, seed, n_kv_heads, bias in (("stablelm", 9, 4, False), ("stablelm_gqa_bias", 10, 2, True)):
    CASES.append(
        Case(name, seed,
             t.StableLmConfig(vocab_size=47, hidden_size=36, intermediate_size=50, num_hidden_layers=2, num_attention_heads=4,
                              num_key_value_heads=n_kv_heads, max_position_embeddings=64, layer_norm_eps=1e-5, use_qkv_bias=bias,
                              rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}),
             write_stablelm))
CASES.append(
    Case("stablelm_parallel", 11,
         t.StableLmConfig(vocab_size=47, hidden_size=36, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
                          num_key_value_heads=2, max_position_embeddings=64, layer_norm_eps=1e-5, use_parallel_residual=True,
                          qk_layernorm=True,
                          rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}),
         write_stablelm))

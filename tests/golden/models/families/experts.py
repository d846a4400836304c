"""Those with routed experts: mixtral (in files of the family llama), qwen2moe, olmoe, granitemoe, phimoe."""
import torch
import transformers as t

from common import Case, Gguf, add_sizes, from_config, interleave


def make_model(config):
    config._experts_implementation = "eager"  # the others want widths that are multiples of 4
    return from_config(config)


def moe_of(layer):
    """Where the layer has its router and experts."""
    return layer.mlp if hasattr(layer, "mlp") else layer.block_sparse_moe


def router_of(moe):
    return moe.gate if hasattr(moe, "gate") else moe.router


def randomize_experts(model, generator):
    """Experts, whose weights are stacked, as if each were a matrix alone. The last is the first again, for the router too: they
    tie, and it does not matter which of the two a token gets."""
    for layer in model.model.layers:
        moe = moe_of(layer)
        if not hasattr(moe, "experts"):
            continue
        router = router_of(moe)
        with torch.no_grad():
            for p in (moe.experts.gate_up_proj, moe.experts.down_proj):
                p.copy_(1.6 * torch.randn(p.shape, generator=generator) / min(p.shape[1:]) ** 0.5)
                p[-1] = p[0]
            router.weight.copy_(2 * torch.randn(router.weight.shape, generator=generator) / router.weight.shape[1] ** 0.5)
            router.weight[-1] = router.weight[0]


def add_experts(g, b, moe):
    """The router and the experts of a layer."""
    g.tensor(f"{b}.ffn_gate_inp.weight", router_of(moe).weight, f32=True)
    gate, up = moe.experts.gate_up_proj.chunk(2, dim=1)
    g.tensor(f"{b}.ffn_gate_exps.weight", gate)
    g.tensor(f"{b}.ffn_up_exps.weight", up)
    g.tensor(f"{b}.ffn_down_exps.weight", moe.experts.down_proj)


def add_shared_expert(g, b, mlp):
    g.tensor(f"{b}.ffn_gate_shexp.weight", mlp.gate_proj.weight)
    g.tensor(f"{b}.ffn_up_shexp.weight", mlp.up_proj.weight)
    g.tensor(f"{b}.ffn_down_shexp.weight", mlp.down_proj.weight)


def add_expert_sizes(w, c, n_experts):
    add_sizes(w, c)
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_expert_count(n_experts)
    w.add_expert_used_count(c.num_experts_per_tok)


def add_attention(g, b, a, c, permute):
    for name, module, n_heads in (("q", a.q_proj, c.num_attention_heads), ("k", a.k_proj, c.num_key_value_heads)):
        if permute:
            g.tensor(f"{b}.attn_{name}.weight", interleave(module.weight, n_heads))
        else:
            g.linear(f"{b}.attn_{name}", module)
    g.linear(f"{b}.attn_v", a.v_proj)
    g.linear(f"{b}.attn_output", a.o_proj)


def add_outside(g, model, tied=False):
    g.tensor("token_embd.weight", model.model.embed_tokens.weight)
    g.linear("output_norm", model.model.norm)
    if not tied:
        g.linear("output", model.lm_head)


def begin_layer(g, i, layer, config, permute):
    """The norms and the attention of layer i; returns the beginning of its tensors' names."""
    b = f"blk.{i}"
    g.linear(f"{b}.attn_norm", layer.input_layernorm)
    g.linear(f"{b}.ffn_norm", layer.post_attention_layernorm)
    add_attention(g, b, layer.self_attn, config, permute)
    return b


def write_mixtral(name, config, model):
    g = Gguf(name, "llama")
    add_expert_sizes(g.writer, config, config.num_local_experts)
    g.writer.add_rope_dimension_count(config.head_dim)
    g.writer.add_key_length(config.head_dim)
    g.writer.add_value_length(config.head_dim)
    add_outside(g, model)
    for i, layer in enumerate(model.model.layers):
        b = begin_layer(g, i, layer, config, permute=True)
        add_experts(g, b, layer.mlp)
    g.finish()


def write_qwen2moe(name, config, model):
    g = Gguf(name, "qwen2moe")
    add_expert_sizes(g.writer, config, config.num_experts)
    g.writer.add_expert_feed_forward_length(config.moe_intermediate_size)
    g.writer.add_expert_shared_feed_forward_length(config.shared_expert_intermediate_size)
    add_outside(g, model)
    for i, layer in enumerate(model.model.layers):
        b = begin_layer(g, i, layer, config, permute=False)
        add_experts(g, b, layer.mlp)
        add_shared_expert(g, b, layer.mlp.shared_expert)
        g.tensor(f"{b}.ffn_gate_inp_shexp.weight", layer.mlp.shared_expert_gate.weight.squeeze(0))
    g.finish()


def write_olmoe(name, config, model):
    g = Gguf(name, "olmoe")
    add_expert_sizes(g.writer, config, config.num_experts)
    add_outside(g, model)
    for i, layer in enumerate(model.model.layers):
        b = begin_layer(g, i, layer, config, permute=False)
        g.linear(f"{b}.attn_q_norm", layer.self_attn.q_norm)
        g.linear(f"{b}.attn_k_norm", layer.self_attn.k_norm)
        add_experts(g, b, layer.mlp)
    g.finish()


def write_granitemoe(name, config, model):
    g, c = Gguf(name, "granitemoe"), config
    add_expert_sizes(g.writer, c, c.num_local_experts)
    g.writer.add_attention_scale(c.attention_multiplier)
    g.writer.add_embedding_scale(c.embedding_multiplier)
    g.writer.add_residual_scale(c.residual_multiplier)
    g.writer.add_logit_scale(c.logits_scaling)
    add_outside(g, model, tied=True)
    for i, layer in enumerate(model.model.layers):
        b = begin_layer(g, i, layer, c, permute=True)
        add_experts(g, b, layer.block_sparse_moe)
    g.finish()


def write_phimoe(name, config, model):
    g = Gguf(name, "phimoe")
    add_expert_sizes(g.writer, config, config.num_local_experts)
    add_outside(g, model)
    for i, layer in enumerate(model.model.layers):
        b = begin_layer(g, i, layer, config, permute=False)
        add_experts(g, b, layer.mlp)
    g.finish()


def randomize_phimoe(model, generator):
    """Scores so close to each other that some experts stand within the two hundredths that share their weight, and no ties."""
    randomize_experts(model, generator)
    for layer in model.model.layers:
        weight = router_of(moe_of(layer)).weight
        with torch.no_grad():
            weight.copy_(0.02 * torch.randn(weight.shape, generator=generator) + weight[:1])


CASES = [
    Case("olmoe", 42,
         t.OlmoeConfig(vocab_size=41, hidden_size=32, intermediate_size=14, num_hidden_layers=2, num_attention_heads=4,
                       num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, num_experts=7, num_experts_per_tok=3,
                       norm_topk_prob=False, tie_word_embeddings=False,
                       rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
         write_olmoe, make_model=make_model, randomize=randomize_experts),
    Case("granitemoe", 43,
         t.GraniteMoeConfig(vocab_size=41, hidden_size=32, intermediate_size=14, num_hidden_layers=2, num_attention_heads=4,
                            num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-6, num_local_experts=7,
                            num_experts_per_tok=3, tie_word_embeddings=True, attention_multiplier=0.2, embedding_multiplier=3.0,
                            residual_multiplier=0.4, logits_scaling=2.5,
                            rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
         write_granitemoe, make_model=make_model, randomize=randomize_experts),
    Case("phimoe", 44,
         t.PhimoeConfig(vocab_size=41, hidden_size=32, intermediate_size=14, num_hidden_layers=2, num_attention_heads=4,
                        num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, num_local_experts=6,
                        num_experts_per_tok=2, router_jitter_noise=0.01, attention_bias=True, lm_head_bias=True,
                        tie_word_embeddings=False, sliding_window=None,
                        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
         write_phimoe, make_model=make_model, randomize=randomize_phimoe),
    Case("mixtral", 40,
         t.MixtralConfig(vocab_size=43, hidden_size=28, intermediate_size=18, num_hidden_layers=2, num_attention_heads=3,
                         num_key_value_heads=1, head_dim=14, max_position_embeddings=64, rms_norm_eps=1e-5, num_local_experts=5,
                         num_experts_per_tok=2, tie_word_embeddings=False, sliding_window=None,
                         rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}),
         write_mixtral, make_model=make_model, randomize=randomize_experts),
    Case("qwen2moe", 41,
         t.Qwen2MoeConfig(vocab_size=41, hidden_size=32, intermediate_size=70, moe_intermediate_size=14,
                          shared_expert_intermediate_size=21, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                          max_position_embeddings=64, rms_norm_eps=1e-6, num_experts=7, num_experts_per_tok=3,
                          norm_topk_prob=False, decoder_sparse_step=1, mlp_only_layers=[], tie_word_embeddings=False,
                          rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}),
         write_qwen2moe, make_model=make_model, randomize=randomize_experts),
]

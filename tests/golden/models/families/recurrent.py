"""Those whose layers keep a state: mamba, mamba2, lfm2, recurrentgemma, jamba, granitehybrid, zamba2."""
import torch
import transformers as t

from common import Case, Gguf, from_config


def randomize_states(model, generator):
    """Decays, time steps and convolutions in the ranges of trained models: states live for tokens, not for ever."""
    for name, p in model.named_parameters():
        uniform = torch.rand(p.shape, generator=generator)
        with torch.no_grad():
            if name.endswith("A_log"):
                p.copy_(torch.log(0.5 + 7 * uniform))
            elif name.endswith(("dt_proj.bias", "dt_bias")):
                p.copy_(-4 + 5 * uniform)
            elif name.endswith("recurrent_param"):
                p.copy_(-4 + 3 * uniform)
            elif name.endswith("gate_weight"):
                p.copy_((6 * uniform - 3) / p.shape[-1] ** 0.5)
            elif "experts" in name and p.dim() == 3:
                p.copy_((5 * uniform - 2.5) / p.shape[-1] ** 0.5)
            elif name.endswith(".D"):
                p.copy_(0.5 + uniform)
            elif "conv" in name and p.dim() == 3:
                p.copy_(1.6 * uniform - 0.6)


def add_sizes(w, c, eps):
    w.add_context_length(2**20)
    w.add_embedding_length(c.hidden_size)
    w.add_feed_forward_length(0)
    w.add_head_count(0)
    w.add_block_count(c.num_hidden_layers)
    w.add_layer_norm_rms_eps(eps)


def decay(mixer):
    """As GGUF files have it, rounded once from the exact value."""
    return -torch.exp(mixer.A_log.detach().double()).float()


def add_mamba_mixer(g, b, mixer):
    """The tensors of a Mamba-1 mixer, in the order of its computation."""
    g.tensor(f"{b}.ssm_in.weight", mixer.in_proj.weight)
    g.tensor(f"{b}.ssm_conv1d.weight", mixer.conv1d.weight.squeeze(1), f32=True)
    g.tensor(f"{b}.ssm_conv1d.bias", mixer.conv1d.bias)
    g.tensor(f"{b}.ssm_x.weight", mixer.x_proj.weight)
    g.linear(f"{b}.ssm_dt", mixer.dt_proj)
    g.tensor(f"{b}.ssm_a", decay(mixer), f32=True)
    g.tensor(f"{b}.ssm_d", mixer.D)
    g.tensor(f"{b}.ssm_out.weight", mixer.out_proj.weight)


def write_mamba(name, config, model):
    g = Gguf(name, "mamba")
    w, c, m = g.writer, config, model.backbone
    add_sizes(w, c, c.layer_norm_epsilon)
    w.add_ssm_conv_kernel(c.conv_kernel)
    w.add_ssm_inner_size(c.intermediate_size)
    w.add_ssm_state_size(c.state_size)
    w.add_ssm_time_step_rank(c.time_step_rank)
    w.add_ssm_dt_b_c_rms(False)
    g.tensor("token_embd.weight", m.embeddings.weight)
    g.tensor("output_norm.weight", m.norm_f.weight)
    if not c.tie_word_embeddings:
        g.tensor("output.weight", model.lm_head.weight)
    for i, layer in enumerate(m.layers):
        g.tensor(f"blk.{i}.attn_norm.weight", layer.norm.weight)
        add_mamba_mixer(g, f"blk.{i}", layer.mixer)
    g.finish()


def add_mamba2_keys(w, d_conv, d_inner, d_state, n_heads, n_groups):
    w.add_ssm_conv_kernel(d_conv)
    w.add_ssm_inner_size(d_inner)
    w.add_ssm_state_size(d_state)
    w.add_ssm_time_step_rank(n_heads)
    w.add_ssm_group_count(n_groups)


def add_mamba2_mixer(g, b, mixer, n_groups):
    g.tensor(f"{b}.ssm_in.weight", mixer.in_proj.weight)
    g.tensor(f"{b}.ssm_conv1d.weight", mixer.conv1d.weight.squeeze(1), f32=True)
    g.tensor(f"{b}.ssm_conv1d.bias", mixer.conv1d.bias)
    g.tensor(f"{b}.ssm_dt.bias", mixer.dt_bias)
    g.tensor(f"{b}.ssm_a", decay(mixer)[:, None], f32=True)
    g.tensor(f"{b}.ssm_d", mixer.D[:, None], f32=True)
    g.tensor(f"{b}.ssm_norm.weight", mixer.norm.weight.reshape(n_groups, -1), f32=True)
    g.tensor(f"{b}.ssm_out.weight", mixer.out_proj.weight)


def write_mamba2(name, config, model):
    g = Gguf(name, "mamba2")
    w, c, m = g.writer, config, model.backbone
    add_sizes(w, c, c.layer_norm_epsilon)
    add_mamba2_keys(w, c.conv_kernel, c.num_heads * c.head_dim, c.state_size, c.num_heads, c.n_groups)
    g.tensor("token_embd.weight", m.embeddings.weight)
    g.tensor("output_norm.weight", m.norm_f.weight)
    if not c.tie_word_embeddings:
        g.tensor("output.weight", model.lm_head.weight)
    for i, layer in enumerate(m.layers):
        g.tensor(f"blk.{i}.attn_norm.weight", layer.norm.weight)
        add_mamba2_mixer(g, f"blk.{i}", layer.mixer, c.n_groups)
    g.finish()


def write_lfm2(name, config, model):
    g = Gguf(name, "lfm2")
    w, c, m = g.writer, config, model.model
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(m.layers[0].feed_forward.w1.out_features)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv([c.num_key_value_heads if kind == "full_attention" else 0 for kind in c.layer_types])
    w.add_layer_norm_rms_eps(c.norm_eps)
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_vocab_size(c.vocab_size)
    w.add_shortconv_l_cache(c.conv_L_cache)
    g.tensor("token_embd.weight", m.embed_tokens.weight)
    g.tensor("token_embd_norm.weight", m.embedding_norm.weight)
    for i, layer in enumerate(m.layers):
        b = f"blk.{i}"
        g.tensor(f"{b}.attn_norm.weight", layer.operator_norm.weight)
        g.tensor(f"{b}.ffn_norm.weight", layer.ffn_norm.weight)
        if layer.is_attention_layer:
            a = layer.self_attn
            g.tensor(f"{b}.attn_q.weight", a.q_proj.weight)
            g.tensor(f"{b}.attn_k.weight", a.k_proj.weight)
            g.tensor(f"{b}.attn_v.weight", a.v_proj.weight)
            g.tensor(f"{b}.attn_q_norm.weight", a.q_layernorm.weight)
            g.tensor(f"{b}.attn_k_norm.weight", a.k_layernorm.weight)
            g.tensor(f"{b}.attn_output.weight", a.out_proj.weight)
        else:
            g.tensor(f"{b}.shortconv.in_proj.weight", layer.conv.in_proj.weight)
            g.tensor(f"{b}.shortconv.conv.weight", layer.conv.conv.weight.squeeze(1), f32=True)
            g.tensor(f"{b}.shortconv.out_proj.weight", layer.conv.out_proj.weight)
        g.tensor(f"{b}.ffn_gate.weight", layer.feed_forward.w1.weight)
        g.tensor(f"{b}.ffn_up.weight", layer.feed_forward.w3.weight)
        g.tensor(f"{b}.ffn_down.weight", layer.feed_forward.w2.weight)
    g.finish()


def write_recurrent_gemma(name, config, model):
    """llama.cpp does not have the family: a convention of mote's own, lib/spec/README.md."""
    g = Gguf(name, "recurrentgemma")
    w, c, m = g.writer, config, model.model
    w.add_context_length(8192)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size // 2)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv([c.num_key_value_heads if kind == "sliding_attention" else 0 for kind in c.layers_block_type])
    w.add_key_length(c.head_dim)
    w.add_value_length(c.head_dim)
    w.add_sliding_window(c.attention_window_size)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_rope_dimension_count(int(c.head_dim * c.rope_parameters["partial_rotary_factor"]))
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_embedding_scale(float(m.normalizer))
    w.add_final_logit_softcapping(c.logits_soft_cap)
    w.add_uint32("recurrentgemma.rglru.inner_size", c.lru_width)
    w.add_uint32("recurrentgemma.rglru.block_count", c.num_attention_heads)
    w.add_uint32("recurrentgemma.rglru.conv_kernel", c.conv1d_width)
    g.tensor("token_embd.weight", m.embed_tokens.weight)
    g.tensor("output_norm.weight", 1 + m.final_norm.weight)
    for i, layer in enumerate(m.layers):
        b, block = f"blk.{i}", layer.temporal_block
        g.tensor(f"{b}.attn_norm.weight", 1 + layer.temporal_pre_norm.weight)
        g.tensor(f"{b}.ffn_norm.weight", 1 + layer.channel_pre_norm.weight)
        g.linear(f"{b}.ffn_gate", layer.mlp_block.gate_proj)
        g.linear(f"{b}.ffn_up", layer.mlp_block.up_proj)
        g.linear(f"{b}.ffn_down", layer.mlp_block.down_proj)
        if c.layers_block_type[i] == "sliding_attention":
            g.linear(f"{b}.attn_q", block.q_proj)
            g.linear(f"{b}.attn_k", block.k_proj)
            g.linear(f"{b}.attn_v", block.v_proj)
            g.linear(f"{b}.attn_output", block.o_proj)
            continue
        g.tensor(f"{b}.rglru_in.weight", torch.cat([block.linear_x.weight, block.linear_y.weight]))
        g.tensor(f"{b}.rglru_in.bias", torch.cat([block.linear_x.bias, block.linear_y.bias]))
        g.tensor(f"{b}.rglru_conv1d.weight", block.conv_1d.weight.squeeze(1), f32=True)
        g.tensor(f"{b}.rglru_conv1d.bias", block.conv_1d.bias)
        for gate, to in ((block.rg_lru.input_gate_weight, "input_gate"), (block.rg_lru.recurrent_gate_weight, "recurrence_gate")):
            g.tensor(f"{b}.rglru_{to}.weight", gate.transpose(1, 2))
        g.tensor(f"{b}.rglru_input_gate.bias", block.rg_lru.input_gate_bias, f32=True)
        g.tensor(f"{b}.rglru_recurrence_gate.bias", block.rg_lru.recurrent_gate_bias, f32=True)
        g.tensor(f"{b}.rglru_a", block.rg_lru.recurrent_param)
        g.linear(f"{b}.rglru_out", block.linear_out)
    g.finish()


def with_experts(config):
    config._experts_implementation = "eager"  # the others want widths that are multiples of 4
    return from_config(config)


def add_experts(g, b, router, experts):
    g.tensor(f"{b}.ffn_gate_inp.weight", router.weight, f32=True)
    gate, up = experts.gate_up_proj.chunk(2, dim=1)
    g.tensor(f"{b}.ffn_gate_exps.weight", gate)
    g.tensor(f"{b}.ffn_up_exps.weight", up)
    g.tensor(f"{b}.ffn_down_exps.weight", experts.down_proj)


def add_attention(g, b, attention):
    for part in ("q", "k", "v"):
        g.tensor(f"{b}.attn_{part}.weight", getattr(attention, f"{part}_proj").weight)
    g.tensor(f"{b}.attn_output.weight", attention.o_proj.weight)


def add_hybrid_keys(w, c, d_ff, kv_heads):
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(d_ff)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(kv_heads)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_vocab_size(c.vocab_size)


def write_jamba(name, config, model):
    g = Gguf(name, "jamba")
    w, c, m = g.writer, config, model.model
    add_hybrid_keys(w, c, c.intermediate_size, [c.num_key_value_heads if k == "attention" else 0 for k in c.layers_block_type])
    w.add_ssm_conv_kernel(c.mamba_d_conv)
    w.add_ssm_inner_size(c.mamba_expand * c.hidden_size)
    w.add_ssm_state_size(c.mamba_d_state)
    w.add_ssm_time_step_rank(c.mamba_dt_rank)
    w.add_expert_count(c.num_experts)
    w.add_expert_used_count(c.num_experts_per_tok)
    g.tensor("token_embd.weight", m.embed_tokens.weight)
    g.tensor("output_norm.weight", m.final_layernorm.weight)
    g.tensor("output.weight", model.lm_head.weight)
    for i, layer in enumerate(m.layers):
        b, ffn = f"blk.{i}", layer.feed_forward
        g.tensor(f"{b}.attn_norm.weight", layer.input_layernorm.weight)
        g.tensor(f"{b}.ffn_norm.weight", layer.pre_ff_layernorm.weight)
        if c.layers_block_type[i] == "attention":
            add_attention(g, b, layer.self_attn)
        else:
            add_mamba_mixer(g, b, layer.mamba)
            for part in ("dt", "b", "c"):
                g.tensor(f"{b}.ssm_{part}_norm.weight", getattr(layer.mamba, f"{part}_layernorm").weight)
        if c.layers_num_experts[i] > 1:
            add_experts(g, b, ffn.router, ffn.experts)
        else:
            for part in ("gate", "up", "down"):
                g.tensor(f"{b}.ffn_{part}.weight", getattr(ffn, f"{part}_proj").weight)
    g.finish()


def write_granite_hybrid(name, config, model):
    g = Gguf(name, "granitehybrid")
    w, c, m = g.writer, config, model.model
    dense = c.num_local_experts == 0
    attends = [kind == "full_attention" for kind in c.layer_types]
    add_hybrid_keys(w, c, c.shared_intermediate_size if dense else c.intermediate_size,
                    [c.num_key_value_heads if a else 0 for a in attends])
    add_mamba2_keys(w, c.mamba_d_conv, c.mamba_n_heads * c.mamba_d_head, c.mamba_d_state, c.mamba_n_heads, c.mamba_n_groups)
    w.add_attention_scale(c.attention_multiplier)
    w.add_embedding_scale(c.embedding_multiplier)
    w.add_residual_scale(c.residual_multiplier)
    w.add_logit_scale(c.logits_scaling)
    w.add_rope_dimension_count(c.hidden_size // c.num_attention_heads)
    w.add_rope_scaling_finetuned(False)
    if not dense:
        w.add_expert_count(c.num_local_experts)
        w.add_expert_used_count(c.num_experts_per_tok)
        w.add_expert_shared_feed_forward_length(c.shared_intermediate_size)
    g.tensor("token_embd.weight", m.embed_tokens.weight)
    g.tensor("output_norm.weight", m.norm.weight)
    if not c.tie_word_embeddings:
        g.tensor("output.weight", model.lm_head.weight)
    for i, layer in enumerate(m.layers):
        b, end = f"blk.{i}", "" if dense else "_shexp"
        g.tensor(f"{b}.attn_norm.weight", layer.input_layernorm.weight)
        g.tensor(f"{b}.ffn_norm.weight", layer.post_attention_layernorm.weight)
        if attends[i]:
            add_attention(g, b, layer.self_attn)
        else:
            add_mamba2_mixer(g, b, layer.mamba, c.mamba_n_groups)
        gate, up = layer.shared_mlp.input_linear.weight.chunk(2)
        g.tensor(f"{b}.ffn_gate{end}.weight", gate)
        g.tensor(f"{b}.ffn_up{end}.weight", up)
        g.tensor(f"{b}.ffn_down{end}.weight", layer.shared_mlp.output_linear.weight)
        if not dense:
            add_experts(g, b, layer.block_sparse_moe.router, layer.block_sparse_moe.experts)
    g.finish()


def randomize_blocks(model, generator):
    """Nothing is added to the stream inside the blocks, so that larger weights make noise of the last bits of a float."""
    randomize_states(model, generator)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "shared_transformer" in name and "norm" not in name:
                p.mul_(0.3)


def write_zamba2(name, config, model):
    """llama.cpp does not have the family: a convention of mote's own, lib/spec/README.md."""
    g = Gguf(name, "zamba2")
    w, c, m = g.writer, config, model.model
    hybrid = c.hybrid_layer_ids
    per_layer = lambda value: [value if i in hybrid else 0 for i in range(c.num_hidden_layers)]  # noqa: E731
    add_hybrid_keys(w, c, per_layer(c.intermediate_size), per_layer(c.num_key_value_heads))
    add_mamba2_keys(w, c.mamba_d_conv, c.mamba_expand * c.hidden_size, c.mamba_d_state, c.n_mamba_heads, c.mamba_ngroups)
    w.add_key_length(c.attention_head_dim)
    w.add_value_length(c.attention_head_dim)
    w.add_attention_scale((c.attention_head_dim / 2) ** -0.5)
    if c.use_mem_rope:
        w.add_rope_dimension_count(c.attention_head_dim)
        w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_uint32("zamba2.shared_block.count", c.num_mem_blocks)
    w.add_uint32("zamba2.shared_block.qkv_rank", c.adapter_rank if c.use_shared_attention_adapter else 0)
    w.add_uint32("zamba2.shared_block.ffn_rank", c.adapter_rank)
    g.tensor("token_embd.weight", m.embed_tokens.weight)
    g.tensor("output_norm.weight", m.final_layernorm.weight)
    for i, layer in enumerate(m.layers):
        b, decoder = f"blk.{i}", layer
        if i in hybrid:
            decoder, block, use = layer.mamba_decoder, layer.shared_transformer, hybrid.index(i)
            if use < c.num_mem_blocks:
                g.tensor(f"{b}.block_norm.weight", block.input_layernorm.weight)
                add_attention(g, b, block.self_attn)
                g.tensor(f"{b}.ffn_norm.weight", block.pre_ff_layernorm.weight)
                gate, up = block.feed_forward.gate_up_proj.weight.chunk(2)
                g.tensor(f"{b}.ffn_gate.weight", gate)
                g.tensor(f"{b}.ffn_up.weight", up)
                g.tensor(f"{b}.ffn_down.weight", block.feed_forward.down_proj.weight)
            for part in ("q", "k", "v") if c.use_shared_attention_adapter else ():
                adapter = getattr(block.self_attn, f"linear_{part}_adapter_list")[use]
                g.tensor(f"{b}.attn_{part}_adapter_in.weight", adapter[0].weight)
                g.tensor(f"{b}.attn_{part}_adapter_out.weight", adapter[1].weight)
            adapter = block.feed_forward.gate_up_proj_adapter_list[use]
            gate, up = adapter[1].weight.chunk(2)
            g.tensor(f"{b}.ffn_adapter_in.weight", adapter[0].weight)
            g.tensor(f"{b}.ffn_gate_adapter_out.weight", gate)
            g.tensor(f"{b}.ffn_up_adapter_out.weight", up)
            g.tensor(f"{b}.block_out.weight", layer.linear.weight)
        g.tensor(f"{b}.attn_norm.weight", decoder.input_layernorm.weight)
        add_mamba2_mixer(g, b, decoder.mamba, c.mamba_ngroups)
    g.finish()


RECURRENT = {"randomize": randomize_states}

CASES = [
    Case("mamba", 30,
         t.MambaConfig(vocab_size=71, hidden_size=37, intermediate_size=74, state_size=5, num_hidden_layers=2, time_step_rank=7,
                       conv_kernel=4, layer_norm_epsilon=1e-5, expand=2, tie_word_embeddings=True),
         write_mamba, **RECURRENT),
    Case("mamba_untied", 31,
         t.MambaConfig(vocab_size=53, hidden_size=30, intermediate_size=60, state_size=17, num_hidden_layers=2, time_step_rank=32,
                       conv_kernel=3, layer_norm_epsilon=1e-6, expand=2, tie_word_embeddings=False),
         write_mamba, **RECURRENT),
    Case("mamba2", 32,
         t.Mamba2Config(vocab_size=59, hidden_size=36, state_size=11, num_hidden_layers=2, num_heads=4, head_dim=18, expand=2,
                        n_groups=2, conv_kernel=4, layer_norm_epsilon=1e-5, chunk_size=8, tie_word_embeddings=True),
         write_mamba2, **RECURRENT),
    Case("mamba2_untied", 33,
         t.Mamba2Config(vocab_size=61, hidden_size=45, state_size=16, num_hidden_layers=2, num_heads=5, head_dim=9, expand=1,
                        n_groups=1, conv_kernel=3, layer_norm_epsilon=1e-6, chunk_size=16, tie_word_embeddings=False),
         write_mamba2, **RECURRENT),
    Case("lfm2", 34,
         t.Lfm2Config(vocab_size=67, hidden_size=30, intermediate_size=45, num_hidden_layers=5, num_attention_heads=3,
                      num_key_value_heads=1, max_position_embeddings=64, norm_eps=1e-5, conv_L_cache=3, conv_bias=False,
                      block_auto_adjust_ff_dim=False, tie_word_embeddings=True, full_attn_idxs=[1, 4],
                      rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}),
         write_lfm2, **RECURRENT),
    Case("recurrentgemma", 35,
         t.RecurrentGemmaConfig(vocab_size=43, hidden_size=36, intermediate_size=58, num_hidden_layers=4, num_attention_heads=3,
                                num_key_value_heads=1, lru_width=36, attention_window_size=9, conv1d_width=4, logits_soft_cap=6.0,
                                rms_norm_eps=1e-6, rope_parameters={"rope_type": "default", "rope_theta": 10000.0,
                                                                    "partial_rotary_factor": 0.5}),
         write_recurrent_gemma, **RECURRENT),
    Case("jamba", 36,
         t.JambaConfig(vocab_size=47, hidden_size=24, intermediate_size=30, num_hidden_layers=4, num_attention_heads=2,
                       num_key_value_heads=1, rms_norm_eps=1e-6, max_position_embeddings=64, num_experts=3, num_experts_per_tok=2,
                       expert_layer_period=2, expert_layer_offset=1, attn_layer_period=4, attn_layer_offset=2, mamba_d_state=5,
                       mamba_d_conv=3, mamba_expand=2, mamba_dt_rank=7),
         write_jamba, make_model=with_experts, **RECURRENT),
]
NUMBERS = {"embedding_multiplier": 3.0, "logits_scaling": 2.5, "residual_multiplier": 0.6, "attention_multiplier": 0.2}
for name, seed, n_experts, tied in (("granitehybrid", 37, 0, True), ("granitehybrid_experts", 38, 4, False)):
    CASES.append(
        Case(name, seed,
             t.GraniteMoeHybridConfig(vocab_size=45, hidden_size=24, intermediate_size=14, shared_intermediate_size=22,
                                      num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, rms_norm_eps=1e-5,
                                      max_position_embeddings=64, tie_word_embeddings=tied, num_local_experts=n_experts,
                                      num_experts_per_tok=2, position_embedding_type="nope", mamba_n_heads=4, mamba_n_groups=2,
                                      layer_types=["linear_attention", "full_attention", "linear_attention"], mamba_d_state=7,
                                      mamba_d_head=12, mamba_d_conv=4, mamba_expand=2, mamba_chunk_size=8, **NUMBERS),
             write_granite_hybrid, make_model=with_experts, **RECURRENT))
# time_step_min bounds dt only where transformers computes many tokens at once; so small, nowhere
for name, seed, n_blocks, layers, more in (
        ("zamba2", 39, 1, "mhmh", {}),
        ("zamba2_rope", 42, 2, "hmhh", {"use_mem_rope": True, "use_shared_attention_adapter": True})):
    CASES.append(
        Case(name, seed,
             t.Zamba2Config(vocab_size=41, hidden_size=18, num_hidden_layers=len(layers), intermediate_size=26, mamba_d_state=5,
                            layers_block_type=["hybrid" if kind == "h" else "mamba" for kind in layers], mamba_d_conv=4,
                            mamba_expand=2, mamba_ngroups=2, n_mamba_heads=4, num_attention_heads=2, num_key_value_heads=2,
                            num_mem_blocks=n_blocks, adapter_rank=5, rms_norm_eps=1e-5, max_position_embeddings=64, chunk_size=8,
                            time_step_min=1e-12, rope_parameters={"rope_type": "default", "rope_theta": 500.0}, **more),
             write_zamba2, randomize=randomize_blocks))

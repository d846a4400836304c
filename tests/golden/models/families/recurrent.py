"""Those whose layers keep a state: mamba, mamba2, lfm2."""
import torch
import transformers as t

from common import Case, Gguf


def randomize_states(model, generator):
    """Decays, time steps and convolutions in the ranges of trained models: states live for tokens, not for ever."""
    for name, p in model.named_parameters():
        uniform = torch.rand(p.shape, generator=generator)
        with torch.no_grad():
            if name.endswith("A_log"):
                p.copy_(torch.log(0.5 + 7 * uniform))
            elif name.endswith(("dt_proj.bias", "dt_bias")):
                p.copy_(-4 + 5 * uniform)
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
]

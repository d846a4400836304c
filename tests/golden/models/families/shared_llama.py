"""Llamas whose layers share weights: MobileLLM runs each layer twice, MobiLlama has one FFN for all layers. The layers are those of
transformers, arranged as the authors' code does. GGUF has no convention of others for them; lib/spec/README.md has ours."""
import torch
import transformers as t

from common import Case, Gguf, from_config, interleave, save_directory


def llama_config(**kwargs):
    return t.LlamaConfig(hidden_size=24, intermediate_size=38, num_attention_heads=4, max_position_embeddings=64, rms_norm_eps=1e-5,
                         rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, use_cache=False, **kwargs)


def repeated(config):
    """Each of the config's layers twice in a row."""
    model = from_config(config)
    model.model.layers = torch.nn.ModuleList(layer for layer in model.model.layers for _ in range(2))
    model.config.num_hidden_layers = len(model.model.layers)  # what it runs
    return model


def one_ffn(config):
    model = from_config(config)
    for layer in model.model.layers[1:]:
        layer.mlp = model.model.layers[0].mlp
    return model


def write_shared(name, config, model):
    g = Gguf(name, "llama")
    w, c, layers = g.writer, config, list(model.model.layers)
    mixer_from = [next((j for j in range(i) if layers[j] is layers[i]), -1) for i in range(len(layers))]
    ffn_from = [next((j for j in range(i) if layers[j].mlp is layers[i].mlp), -1) for i in range(len(layers))]
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(len(layers))
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_key_value_heads)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    if max(mixer_from) >= 0:
        w.add_array("llama.mixer_from", mixer_from)
    w.add_array("llama.feed_forward_from", ffn_from)
    g.linear("token_embd", model.model.embed_tokens)
    g.linear("output_norm", model.model.norm)
    if not c.tie_word_embeddings:
        g.linear("output", model.lm_head)
    for i, layer in enumerate(layers):
        a, b = layer.self_attn, f"blk.{i}"
        if mixer_from[i] < 0:
            g.linear(f"{b}.attn_norm", layer.input_layernorm)
            g.tensor(f"{b}.attn_q.weight", interleave(a.q_proj.weight, c.num_attention_heads))
            g.tensor(f"{b}.attn_k.weight", interleave(a.k_proj.weight, c.num_key_value_heads))
            g.linear(f"{b}.attn_v", a.v_proj)
            g.linear(f"{b}.attn_output", a.o_proj)
            g.linear(f"{b}.ffn_norm", layer.post_attention_layernorm)
        if ffn_from[i] < 0:
            g.linear(f"{b}.ffn_gate", layer.mlp.gate_proj)
            g.linear(f"{b}.ffn_up", layer.mlp.up_proj)
            g.linear(f"{b}.ffn_down", layer.mlp.down_proj)
    g.finish()


def save(model, folder, n_runs, one_ffn, **changes):
    """What is shared once, under its first name."""
    tensors = {"model.embed_tokens.weight": model.model.embed_tokens.weight, "model.norm.weight": model.model.norm.weight}
    if not model.config.tie_word_embeddings:
        tensors["lm_head.weight"] = model.lm_head.weight
    for i, layer in enumerate(model.model.layers[::n_runs]):
        for name, tensor in layer.state_dict().items():
            if not (one_ffn and i > 0 and name.startswith("mlp.")):
                tensors[f"model.layers.{i}.{name}"] = tensor
    config = {key: value for key, value in model.config.to_dict().items() if value is not None and key != "transformers_version"}
    save_directory(folder, config | changes, tensors)


CASES = [
    Case("mobilellm_ls", 51, llama_config(vocab_size=53, num_hidden_layers=2, num_key_value_heads=2, tie_word_embeddings=True),
         write_shared,
         lambda m, folder: save(m, folder, 2, False, model_type="mobilellm", architectures=["MobileLLMForCausalLM"],
                                num_hidden_layers=2, layer_sharing=True, share_embedding=True, tie_word_embeddings=False), repeated),
    # the config says 2 kv heads, and its code has as many as heads
    Case("mobillama", 52, llama_config(vocab_size=53, num_hidden_layers=3, num_key_value_heads=4, tie_word_embeddings=False),
         write_shared,
         lambda m, folder: save(m, folder, 1, True, architectures=["MobiLlamaForCausalLM"], num_key_value_heads=2), one_ffn),
]

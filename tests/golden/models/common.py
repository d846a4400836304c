"""What the families' modules share: a Case is a model to make; make() writes its files.

The configurations expose mistakes: odd head sizes, one kv head, biases that are not zero, norm weights that are not one,
partial rotation, scaled frequencies, tied and untied heads, widths that are no multiple of 16 or 32.
"""
import dataclasses
import json
import pathlib
import shutil
import typing

import gguf
import numpy as np
import safetensors.torch
import torch
import transformers

HERE = pathlib.Path(__file__).parent
N_GREEDY = 32
transformers.utils.logging.disable_progress_bar()


def from_config(config):
    """The reference by transformers."""
    config._attn_implementation = "eager"
    return transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)


def save_pretrained(model, folder, **kwargs):
    """The directory as users download it, without what a model of random weights has no use for."""
    model.to(torch.bfloat16).save_pretrained(folder, **kwargs)
    (folder / "generation_config.json").unlink(missing_ok=True)
    for path in folder.iterdir():
        path.chmod(0o644)


def save_directory(folder, config, tensors):
    """A directory that transformers does not write. config: what config.json says."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    tensors = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in tensors.items()}
    safetensors.torch.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)


@dataclasses.dataclass
class Case:
    name: str
    seed: int
    config: typing.Any  # has vocab_size
    write_gguf: typing.Callable | None = None  # (name, config, model); None: GGUF has no convention for the family
    save: typing.Callable | None = save_pretrained  # (model, folder), weights are bfloat16 values already; None: no directory
    make_model: typing.Callable = from_config  # (config): a torch module, model(ids).logits [1, n_tokens, n_vocab]
    randomize: typing.Callable | None = None  # (model, generator) after the usual one: weights that need another range
    n_prompt: int = 24
    max_error: float = 1e-5  # of the logits, relative to their range


def randomize(model, generator):
    """Weights that give every part of the model something to do; the default initialisation has zero biases and unit norms."""
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


def round_to_bf16(model):
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.to(torch.bfloat16).to(torch.float32))


def interleave(weight, n_heads):
    """Rows of q or k from halves, as transformers rotates them, to pairs side by side, as GGUF files of llama models have them."""
    rows = weight.shape[0]
    return weight.reshape(n_heads, 2, rows // n_heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def add_sizes(w, c):
    """The sizes that most configs have under the same names. w: a GGUFWriter."""
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_key_value_heads)


class Gguf:
    def __init__(self, name, arch):
        self.writer = gguf.GGUFWriter(HERE / f"{name}.gguf", arch)
        self.writer.add_name(name)
        self.writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)

    def tensor(self, name, value, f32=False):
        """Matrices in BF16, vectors in F32; f32: what converters keep in F32 though it is a matrix."""
        if isinstance(value, torch.Tensor):
            value = value.detach()
        value = np.ascontiguousarray(np.asarray(value, dtype=np.float32))
        if value.ndim < 2 or f32:
            self.writer.add_tensor(name, value)
        else:
            bf16 = gguf.GGMLQuantizationType.BF16
            self.writer.add_tensor(name, gguf.quants.quantize(value, bf16), raw_dtype=bf16)

    def linear(self, name, module, transposed=False):
        """Weight and bias of a projection or a norm."""
        self.tensor(f"{name}.weight", module.weight.T if transposed else module.weight)
        if getattr(module, "bias", None) is not None:
            self.tensor(f"{name}.bias", module.bias)

    def finish(self):
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()


def write_expected(case, model):
    generator = torch.Generator().manual_seed(1000 + case.seed)
    prompt = torch.randint(0, case.config.vocab_size, (1, case.n_prompt), generator=generator)
    ids = prompt
    with torch.no_grad():
        model(prompt).logits[0].numpy().astype("<f4").tofile(HERE / f"{case.name}.logits")
        for _ in range(N_GREEDY):
            ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], dim=1)
    lines = [" ".join(str(int(t)) for t in part) for part in (ids[0, :case.n_prompt], ids[0, case.n_prompt:])]
    lines.append(str(case.max_error))
    (HERE / f"{case.name}.tokens").write_text("\n".join(lines) + "\n")


def make(case):
    model = case.make_model(case.config).eval()
    generator = torch.Generator().manual_seed(case.seed)
    randomize(model, generator)
    if case.randomize:
        case.randomize(model, generator)
    round_to_bf16(model)
    if case.write_gguf:
        case.write_gguf(case.name, case.config, model)
    write_expected(case, model)
    folder = HERE / case.name
    shutil.rmtree(folder, ignore_errors=True)
    if case.save:
        case.save(model, folder)  # last: it may change the model's type
    paths = [HERE / f"{case.name}.{end}" for end in ("gguf", "logits", "tokens")] + list(folder.glob("*"))
    n_bytes = sum(path.stat().st_size for path in paths if path.exists())
    print(f"{case.name}: {sum(p.numel() for p in model.parameters())} weights, {n_bytes} bytes of files")

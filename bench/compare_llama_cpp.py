#!/usr/bin/env python3
"""Times mote and llama.cpp on the same files with the same threads, in turns, and prints medians and ratios.

    python3 -m venv venv
    CMAKE_ARGS="-DGGML_NATIVE=ON" venv/bin/pip install --no-binary llama-cpp-python llama-cpp-python
    venv/bin/python bench/compare_llama_cpp.py build/release/bin/bench_breakdown

Random weights of the asked shapes and types are written by bench_breakdown --save, so nothing is downloaded; --model takes files.
One round times one engine, then the other; the figures are the medians of all rounds, with the least and the most of the ratio.
"""
import argparse
import ctypes
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

import llama_cpp

PRESETS = "smollm-135m,qwen2-0.5b,qwen1.5-0.5b,tinyllama-1.1b,llama-3.2-1b"


class LlamaCpp:
    """A file opened by llama.cpp, which is timed through its C interface."""

    def __init__(self, path, n_ctx):
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), params)
        if not self.model:
            sys.exit(f"llama.cpp cannot open {path}")
        self.n_vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.n_ctx = n_ctx

    def close(self):
        llama_cpp.llama_model_free(self.model)

    def _decode(self, context, tokens):
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(array, len(tokens))) != 0:
            sys.exit("llama.cpp: decoding failed")
        llama_cpp.llama_get_logits(context)  # waits until they are there

    def time(self, n_threads, n_prompt, n_generate):
        """Tokens per second of prefill and decode, after a short untimed pass."""
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = self.n_ctx, max(512, n_prompt), 512
        params.n_threads = params.n_threads_batch = n_threads
        context = llama_cpp.llama_init_from_model(self.model, params)
        tokens = [(7 * i + 11) % self.n_vocab for i in range(n_prompt + n_generate)]
        self._decode(context, tokens[:16])
        self._decode(context, tokens[:1])
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        begin = time.perf_counter()
        self._decode(context, tokens[:n_prompt])
        middle = time.perf_counter()
        for token in tokens[n_prompt:]:
            self._decode(context, [token])
        end = time.perf_counter()
        llama_cpp.llama_free(context)
        return n_prompt / (middle - begin), n_generate / (end - middle)


def time_mote(program, path, n_threads, n_prompt, n_generate):
    """Tokens per second of prefill and decode, and the part of the read bandwidth that decode used."""
    command = [program, "--model", path, "--threads", str(n_threads), "--prompt", str(n_prompt)]
    command += ["--generate", str(n_generate), "--repeat", "1", "--format", "json"]
    run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["runs"][0]
    prefill, decode = run["phases"]["prefill"], run["phases"]["decode"]
    return prefill["tokens_per_second"], decode["tokens_per_second"], decode["read_bandwidth_share"]


def compare(program, path, label, options, rows):
    engine = LlamaCpp(path, max(options.prompt) + options.generate)
    for n_threads in options.threads:
        for n_prompt in options.prompt:
            with_decode = n_prompt == options.prompt[0]
            n_generate = options.generate if with_decode else 1
            ours, theirs = [], []
            for _ in range(options.repeat):
                ours.append(time_mote(program, path, n_threads, n_prompt, n_generate))
                theirs.append(engine.time(n_threads, n_prompt, n_generate))
            for phase, test in enumerate((f"prefill {n_prompt}", f"decode {n_generate}")):
                if phase == 1 and not with_decode:
                    continue
                ratios = [a[phase] / b[phase] for a, b in zip(ours, theirs)]
                mote, other = (statistics.median(x[phase] for x in xs) for xs in (ours, theirs))
                share = f"{100 * statistics.median(x[2] for x in ours):.0f}%" if phase == 1 else ""
                rows.append((test.split()[0], n_threads, statistics.median(ratios)))
                print(f"{label:<24}{n_threads:>3}  {test:<12}{mote:>9.1f}{other:>11.1f}{statistics.median(ratios):>8.2f}"
                      f"  ({min(ratios):.2f} .. {max(ratios):.2f}){share:>6}", flush=True)
    engine.close()


def numbers(text):
    return [int(word) for word in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="bench_breakdown")
    parser.add_argument("--model", action="append", default=[], help="GGUF file; may be given several times")
    parser.add_argument("--preset", default=None, help=f"default: {PRESETS}, unless there is a --model")
    parser.add_argument("--type", default="Q4_K_M,Q6_K,Q8_0")
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--prompt", type=numbers, default=[50, 512])
    parser.add_argument("--generate", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=3, help="rounds")
    options = parser.parse_args()
    presets = options.preset if options.preset is not None else "" if options.model else PRESETS

    quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    info = llama_cpp.llama_print_system_info().decode().strip()
    print(f"llama.cpp of llama-cpp-python {llama_cpp.__version__}: {info}")
    print(f"tokens/s, medians of {options.repeat} rounds in turns; the ratio's least and most; decode's part of the read bandwidth\n")
    print(f"{'model':<24}{'thr':>3}  {'test':<12}{'mote':>9}{'llama.cpp':>11}{'ratio':>8}")
    rows = []
    for path in options.model:
        compare(options.program, path, os.path.basename(path), options, rows)
    for preset in filter(None, presets.split(",")):
        for mix in options.type.split(","):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.gguf")
                subprocess.run([options.program, "--preset", preset, "--type", mix, "--save", path], check=True)
                compare(options.program, path, f"{preset} {mix}", options, rows)
    print()
    for phase in ("prefill", "decode"):
        for n_threads in options.threads:
            ratios = [ratio for p, n, ratio in rows if (p, n) == (phase, n_threads)]
            mean = math.exp(statistics.fmean(map(math.log, ratios)))
            print(f"{phase}, threads {n_threads}: geometric mean {mean:.2f}, least {min(ratios):.2f}")


if __name__ == "__main__":
    main()

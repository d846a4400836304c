#!/usr/bin/env python3
"""Makes the tiny random models of this folder and what the reference implementation computes for them.

For each model NAME, that is for each Case of the modules in families/:
  NAME.gguf    matrices in BF16, vectors in F32, under the names and with the row order that GGUF files of the family have
  NAME/        the same weights as a Hugging Face directory: config.json and model.safetensors, in BF16, by save_pretrained
  NAME.logits  float32 little endian [n_tokens, n_vocab]: the logits of every token of the prompt, computed in float32
  NAME.tokens  text: the prompt's ids on one line, then the 32 ids of its greedy continuation on the next, the
               error that is allowed, relative to the range of the logits, on the third

A family without a convention for one of the two kinds of files has the other one only. All weights are bfloat16 values.

Run with: pip install torch==2.13.0 transformers==5.23.0 gguf==0.19.0 && python make_model_golden.py [NAME...]
Names: the models to make anew; none: all of them.
"""
import importlib
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

from common import make  # noqa: E402


def main():
    modules = sorted(path.stem for path in (HERE / "families").glob("*.py"))
    cases = [case for module in modules for case in importlib.import_module(f"families.{module}").CASES]
    names = [case.name for case in cases]
    wanted = sys.argv[1:] or names
    if len(set(names)) != len(names) or not set(wanted) <= set(names):
        sys.exit(f"models: {' '.join(names)}")
    for case in cases:
        if case.name in wanted:
            make(case)


main()

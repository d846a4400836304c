#!/usr/bin/env python3
"""Writes small tokenizers as Hugging Face directories have them, and the ids that `tokenizers` and `sentencepiece`
give for some texts: NAME/ with tokenizer.json and tokenizer_config.json, or with tokenizer.model, and hf_tokenizers.txt, all beside this file.

    pip install tokenizers sentencepiece
    python3 make_hf_golden.py

The words of the file are those of make_text_golden.py, with a line "tokenizer NAME ADDS_BOS BOS EOS" (-1: none) before the ids."""
import json
import pathlib
import random

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from make_text_golden import SPECIAL_TEXTS, TEXTS, escape, train_bpe, train_sentencepiece, write_encodings, write_tokenizer

HERE = pathlib.Path(__file__).parent
SPACE = "\u2581"


def all_merges(vocab, scores):
    """Every two pieces that make a third, in the order of the third's score: what converters of SentencePiece models write."""
    merges = [(scores[whole], -vocab[whole[:i]], -vocab[whole[i:]], whole[:i], whole[i:])
              for whole in vocab for i in range(1, len(whole)) if whole[:i] in vocab and whole[i:] in vocab]
    return [m[3:] for m in sorted(merges, reverse=True)]


def train_characters(prefix):
    """Pieces, and merges of them, of a model that knows bytes."""
    sp = sentencepiece.SentencePieceProcessor(
        model_proto=train_sentencepiece(prefix, vocab_size=720, byte_fallback=True, character_coverage=0.98))
    pieces = [sp.id_to_piece(i) for i in range(sp.get_piece_size())]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    normal = {p: i for p, i in vocab.items() if not (sp.is_byte(i) or sp.is_control(i) or sp.is_unknown(i))}
    return vocab, all_merges(normal, {p: sp.get_score(i) for p, i in normal.items()})


def characters(vocab, merges, prefix):
    tok = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    replace = normalizers.Replace(" ", SPACE)
    tok.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), replace]) if prefix else replace
    steps = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    tok.decoder = decoders.Sequence(steps + [decoders.Strip(" ", 1, 0)] if prefix else steps)
    tok.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>", "<|end|>")])
    tok.add_tokens([AddedToken("<tool>", special=False, normalized=False)])
    return tok


def llama():
    """As published with Llama 2: a space in front, bos in front of all."""
    tok = characters(*train_characters(True), True)
    tok.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)])
    return tok, {"bos_token": {"content": "<s>", "__type": "AddedToken"}, "eos_token": "</s>"}, (1, 1, 2)


def gemma():
    """No space in front, a step that does nothing, added tokens of spaces."""
    tok = characters(*train_characters(False), False)
    tok.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tok.add_tokens([AddedToken(t, special=False, normalized=False) for t in ("\n\n", SPACE * 2)])
    return tok, {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True}, (1, 1, 2)


def scrambled():
    """Merges that no SentencePiece model has: some are left out, and the order is another one."""
    vocab, merges = train_characters(True)
    generator = random.Random(1)
    merges = [m for m in merges if generator.random() < 0.9]
    generator.shuffle(merges)
    return characters(vocab, merges, True), {}, (0, -1, -1)


def byte_level(name):
    tok = train_bpe(name)[0]
    end = tok.token_to_id("<|end|>")
    return tok, {"eos_token": "<|end|>"}, (0, -1, end)


def main():
    texts = list(enumerate(TEXTS))
    special_texts = list(enumerate(SPECIAL_TEXTS, len(texts)))
    made = {"hf_llama": llama(), "hf_gemma": gemma(), "hf_scrambled": scrambled()}
    for name in ("gpt-2", "mpt", "llama-bpe", "qwen2", "smollm", "falcon", "deepseek-llm"):
        made[f"hf_{name}"] = byte_level(name)
    with open(HERE / "hf_tokenizers.txt", "wb") as out:
        out.write(b"# Made by make_hf_golden.py with tokenizers %s, sentencepiece %s\n"
                  % (tokenizers.__version__.encode(), sentencepiece.__version__.encode()))
        for _, text in texts + special_texts:
            out.write(b"text %s\n" % escape(text))
        for name, (tok, config, special) in made.items():
            folder = HERE / name
            folder.mkdir(exist_ok=True)
            tok.encode_special_tokens = False
            tok.save(str(folder / "tokenizer.json"), pretty=False)
            (folder / "tokenizer_config.json").write_text(json.dumps(config) + "\n")
            out.write(b"tokenizer %s %d %d %d\n" % (name.encode(), *special))
            write_tokenizer(out, tok, texts, special_texts)
        for name, prefix, byte_fallback in (("hf_sp", True, True), ("hf_sp_unknown", False, False)):
            folder = HERE / name
            folder.mkdir(exist_ok=True)
            model = train_sentencepiece(prefix, vocab_size=720 if byte_fallback else 480, byte_fallback=byte_fallback, character_coverage=0.98)
            (folder / "tokenizer.model").write_bytes(model)
            sp = sentencepiece.SentencePieceProcessor(model_proto=model)
            out.write(b"tokenizer %s 1 1 2\n" % name.encode())
            write_encodings(out, sp.encode, sp.decode, texts, b"encode")


main()

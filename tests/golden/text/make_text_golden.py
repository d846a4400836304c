#!/usr/bin/env python3
"""Writes vocabularies.txt beside this file: small vocabularies and the ids that other programs give for some texts.

    pip install tokenizers sentencepiece
    python3 make_text_golden.py

The byte-level BPE vocabularies are trained and used by `tokenizers` (Hugging Face) with the pre-tokenizers of published
models, the SentencePiece ones by `sentencepiece` (Google). The file is lines of words; text is written with %XX for spaces,
control characters and the percent sign. The words are explained where they are written, below."""
import io
import json
import os
import unicodedata

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

CORPUS = """\
A small language model reads text as tokens: numbers that stand for pieces of words. The pieces are learned from text, and the
text below is what these learn from. It isn't long, but it's mixed: I've put in what tokenizers find hard, and they'll find it.
The model doesn't see letters. It sees the tokens, and tokens of the same letters differ: "the", "The", " the" and " The" are four.
We're here to count: 1 2 3, 10 20 30, 100 200 300, 1000 2000 3000, 2023 2024 2025, 3.14159, 1,000,000, 12:30, 50%, -17, 0x1F.
In 1984 there were 1984 tokens; in 2024 there were 2024 more. 333 is not 33 and not 3333. Call 555-0123 or 555-0199.
def encode(text):\n    tokens = []\n    for word in text.split():\n        tokens.append(word)\n    return tokens\n
int main() {\n\treturn 0;\n}\n\nif (a == b && c != d) { x += 1; y -= 2; }\n// ======== ------ ======== ------\n
"What's that?" he asked. "That's what they'd call a 'test'," she said; "I'm sure you'll like it!" (They'd like it...)
Was ist das? Das ist ein Text über Bäume, Flüsse und Straßen. Größe und Übermut tun selten gut. Äpfel, Öl, Süßes.
Le garçon a été très étonné de voir l'été à Noël; où est-il allé? Ça va, ça va. El niño comió piñas y también café.
Что это? Это небольшой текст на русском языке. Мы читаем слова и числа: 10, 100, 1000. Слова и числа, слова и слова.
这是一个小小的语言模型。语言模型读文字，文字变成数字。我们有一个模型，它有一千个词。这是中文，那是日文。
これは小さな言語モデルです。モデルは文字を読みます。日本語のテキストも読みます。カタカナとひらがな。
이것은 작은 언어 모델입니다. 모델은 글을 읽고 글을 씁니다. 언어 모델은 말을 배웁니다.
هذا نموذج لغة صغير. النموذج يقرأ النص ويكتب النص. यह एक छोटा भाषा मॉडल है। मॉडल पाठ पढ़ता है।
Αυτό είναι ένα μικρό γλωσσικό μοντέλο. Διαβάζει κείμενο και γράφει κείμενο. זה מודל שפה קטן. Việt Nam, tiếng Việt rất hay.
😀 😃 😄 👍 🎉 ❤️ 🚀🚀 👨‍👩‍👧 → ← ≤ ≥ ½ ¼ ² ³ € £ © ™ … – — “quotes” ‘single’ «guillemets» 100€ 5³
"""

TEXTS = [
    "", " ", "  ", "   ", "\t", "\n", "\n\n", "\n\n\n", "\r\n", "\r\n\r\n x", " \n \n  \n\n", "\t\n \t  x  ", "x   ", "   x", "a  b   c    d     e",
    "The model reads text.", "the The THE tHe", " leading and trailing ", "tokens=[]; tokens.append(word)",
    "def f(x):\n    return x  # it's fine\n\n\n\tif x:\r\n\t\tpass\r\n", "int main() { return 0; } // ====----====",
    "I'm you're he's she'd we've they'll don't", "I'M YOU'RE HE'S SHE'D WE'VE THEY'LL DON'T", "I'm'S 'tIs ''s ' s '", "What’s that? It’s…", "'\u017ftrange 'RE'LL",
    "1", "12", "123", "1234", "12345", "1234567890", " 1 22 333 4444", "3.14159 1,000,000 -17 0x1F 50% 2nd", "x1y22z333", "1984年10月 ½¼ ²³ ⅷ १२३ ٣٤ 𝟙𝟚",
    "Größe über alles, Äpfel und Straßen", "Le garçon a été étonné à Noël", "niño piñas café", "Что это? Мы читаем слова, 1000 слов!",
    "这是一个语言模型。我们有12个词，是吗？", "日本語のモデル、カタカナ・ひらがな。", "한국어 언어 모델입니다", "هذا نموذج، نعم؟", "यह एक मॉडल है। पाठ पढ़ता", "זה מודל", "Αυτό είναι",
    "Cửa Việt, tiếng Việt", unicodedata.normalize("NFD", "Cửa Việt é ö ñ がぎ 한국어"), "e\u0301 A\u030a \u212b \u2126 q\u0307\u0323 \u0344 \u1100\u1161\u11a8 \uf900 \u0958",
    "😀👍🎉 👨‍👩‍👧 ❤️ 🇺🇸 👍🏽", "🦙🦙 never seen \U0001f9ff", "→ ≤≥ € “quotes” «g» …—–", "a\u00a0b\u2003c\u3000d\u180ee\u0085f\u200bg\u2028h\ufeff", "!!! ??? ... --- === ,,, ''' \"\"\" ```", "!?.,;:-_()[]{}<>@#$%^&*~`|\\/+=\"'",
    "\x00\x01\x1b\x7f\x1c", "\u2581 \u2581x", "ＡＢＣ １２３ ！？", "ǅ ʼn ﬁ ß İ ı ſ K Å Ⴀ Ა ა Ꭰ ՠ Ա", "word" * 12, "aaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbb", "unreachable unreachable", "ab\u0300\u0301cd\u0300", "  (a)  [b]\t\t{c}",
]
# With the text of added tokens in them; the user-defined ones are always found, the control ones only on request.
SPECIAL_TEXTS = ["<|end|>", "a<|end|>b <|end|> c", "<tool>x</tool> <tool>", "<|end|><tool><|end|>\n<tool>", "a   b    c     d", "<|en <|end| <tool <tool><tool>>"]

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")
CJK = "[一-龥ࠀ-一가-\ud7ff]+"
CASED = ("A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌ"
         "ῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃")


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def chain(*steps, use_regex=False):
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)])


# tokenizer.ggml.pre: the pre-tokenizer, whether the text is normalized to NFC, whether whole words go before merges
BPE = {
    "gpt-2": (chain(use_regex=True), False, False),
    "mpt": (chain(use_regex=True), True, False),
    "llama-bpe": (chain(split(LLAMA3)), False, True),
    "qwen2": (chain(split(QWEN2)), True, False),
    "smollm": (chain(pre_tokenizers.Digits(individual_digits=True), use_regex=True), False, False),
    "falcon": (pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
                                        pre_tokenizers.Digits(individual_digits=False), split("[0-9][0-9][0-9]")]), False, False),
    "deepseek-llm": (chain(split("[\r\n]"), split(rf"\s?[{CASED}]+"), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"), split(CJK),
                           pre_tokenizers.Digits(individual_digits=True)), False, False),
    "deepseek-coder": (chain(split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(CJK), pre_tokenizers.Digits(individual_digits=True)),
                       False, False),
}
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6


def escape(text):
    raw = text.encode()
    return "".join("%%%02X" % b if b <= 0x20 or b == 0x7F or b == 0x25 else chr(b) for b in raw).encode("latin-1")


def write_encodings(out, encode, decode, texts, flag):
    """encode|special NUMBER ROUND_TRIP ID...: the ids of text NUMBER, without and with control tokens recognised; whether
    decoding them gives the text again (the NFC of it has been decoded otherwise)."""
    for number, text in texts:
        ids = encode(text)
        out.write(b"%s %d %d%s\n" % (flag, number, decode(ids) == text, b"".join(b" %d" % i for i in ids)))


def train_bpe(name):
    """A tokenizer with the steps of that name, the types of its tokens, and its merges."""
    pre, nfc, whole_words = BPE[name]
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre
    if nfc:
        tok.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
    # By lines, so that it is seen which spaces belong together, and as a whole, so that line ends are.
    tok.train_from_iterator(CORPUS.splitlines() + [CORPUS], trainer)
    model = json.loads(tok.to_str())["model"]
    vocab, merges = model["vocab"], [tuple(m) for m in model["merges"]]
    vocab["unreachable"] = len(vocab)  # no merges lead to it: only whole words do
    vocab["Ġunreachable"] = len(vocab)
    tok.model = models.BPE(vocab, merges, ignore_merges=whole_words)
    tok.decoder = decoders.ByteLevel()
    types = [NORMAL] * len(vocab)
    tok.add_special_tokens([AddedToken("<|end|>", special=True, normalized=False)])
    contents = ("<tool>", "   ", "     ") if name == "mpt" else ("<tool>",)
    user_defined = [AddedToken(t, special=False, normalized=False) for t in contents]
    tok.add_tokens(user_defined)
    types += [CONTROL] + [USER_DEFINED] * len(user_defined)
    return tok, types, vocab, merges


def write_bpe(out, name, texts, special_texts):
    """vocabulary MODEL PRE, then token TYPE TEXT for ids from 0, then merge LEFT_ID RIGHT_ID, the most urgent first."""
    tok, types, vocab, merges = train_bpe(name)
    out.write(b"vocabulary gpt2 %s\n" % name.encode())
    for i, t in enumerate(types):
        out.write(b"token %d %s\n" % (t, escape(tok.id_to_token(i))))
    for left, right in merges:
        out.write(b"merge %d %d\n" % (vocab[left], vocab[right]))
    write_tokenizer(out, tok, texts, special_texts)


def write_tokenizer(out, tok, texts, special_texts):
    decode = lambda ids: tok.decode(ids, skip_special_tokens=False)
    tok.encode_special_tokens = True
    encode = lambda text: tok.encode(text, add_special_tokens=False).ids
    write_encodings(out, encode, decode, texts + special_texts, b"encode")
    tok.encode_special_tokens = False
    write_encodings(out, encode, lambda ids: None, special_texts, b"special")


def train_sentencepiece(prefix, **options):
    """The bytes of the model file. prefix: a space goes in front."""
    model = io.BytesIO()
    # Pieces are learned within lines; spaces at their ends are kept.
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.splitlines()), model_writer=model, model_type="bpe", normalization_rule_name="identity",
        remove_extra_whitespaces=False, add_dummy_prefix=prefix, allow_whitespace_only_pieces=True, minloglevel=2, num_threads=1, **options)
    return model.getvalue()


def write_sentencepiece(out, texts, prefix, **options):
    """vocabulary llama PREFIX (1: a space goes in front), then token TYPE TEXT SCORE for ids from 0."""
    sp = sentencepiece.SentencePieceProcessor(model_proto=train_sentencepiece(prefix, **options))
    out.write(b"vocabulary llama %d\n" % prefix)
    for i in range(sp.get_piece_size()):
        t = UNKNOWN if sp.is_unknown(i) else CONTROL if sp.is_control(i) else BYTE if sp.is_byte(i) else NORMAL
        out.write(b"token %d %s %.9g\n" % (t, escape(sp.id_to_piece(i)), sp.get_score(i)))
    write_encodings(out, sp.encode, sp.decode, texts, b"encode")


def main():
    texts = list(enumerate(TEXTS))
    special_texts = list(enumerate(SPECIAL_TEXTS, len(texts)))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "vocabularies.txt"), "wb") as out:
        out.write(b"# Made by make_text_golden.py with tokenizers %s, sentencepiece %s\n"
                  % (tokenizers.__version__.encode(), sentencepiece.__version__.encode()))
        for _, text in texts + special_texts:  # text TEXT: numbered from 0
            out.write(b"text %s\n" % escape(text))
        for name in BPE:
            write_bpe(out, name, texts, special_texts)
        write_sentencepiece(out, texts, True, vocab_size=720, byte_fallback=True, character_coverage=0.98)
        write_sentencepiece(out, texts, False, vocab_size=480, byte_fallback=False, character_coverage=0.98)
        write_sentencepiece(out, texts, True, vocab_size=720, byte_fallback=True, character_coverage=0.98, split_by_whitespace=False,
                            split_by_unicode_script=False, split_by_number=False)


if __name__ == "__main__":
    main()

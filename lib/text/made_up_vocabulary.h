/// A vocabulary for models that were trained on nothing.
#pragma once
#include "lib/gguf/key_values.h"
#include "lib/text/tokenizer.h"

namespace mote::text {

/// Byte-level BPE of exactly n_vocab tokens: the bytes, made-up words with a merge each, <|endoftext|> as the last one, which
/// begins and ends texts. Without tokens if n_vocab is less than 257: those do not fit.
Vocabulary make_up_vocabulary(std::size_t n_vocab);

/// Sets the tokenizer.ggml.* keys; a vocabulary without tokens becomes the model "none". byte_bpe only.
void write_vocabulary(const Vocabulary& vocabulary, gguf::KeyValues& keys);

} // namespace mote::text

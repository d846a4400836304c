/// The tokenizer of a directory on its way to the keys tokenizer.ggml.*.
#pragma once
#include <span>

#include "lib/hf/json.h"
#include "lib/hf/translation.h"

namespace mote::hf {

/// The files of a directory that speak of its tokenizer; null and empty: there is none.
struct TokenizerFiles {
  Json tokenizer;                           ///< tokenizer.json
  std::span<const std::byte> sentencepiece; ///< tokenizer.model, which counts where there is no tokenizer.json
  Json tokenizer_config;                    ///< tokenizer_config.json: special tokens by their texts
  Json generation_config;                   ///< generation_config.json: ids at which generation ends
};

/// Sets the keys, or the one that says why this tokenizer cannot be had (text::kProblemKey): what is not known to give the same
/// ids is not run. After the tensors: no token may be without a row of the embedding. Errors stay in the translation's config:
/// bad_file.
///
/// Known are byte-level BPE whose steps are those of lib/text/pre_patterns.cpp, and BPE of characters with bytes for the rest, as
/// converted from SentencePiece (Llama, Mistral, Gemma), or in SentencePiece's own files. What was converted gets scores in the
/// order of its merges, for those who read GGUF files by the book, and the merges themselves, which say exactly what merges.
void translate_tokenizer(const TokenizerFiles& files, Translation& t);

} // namespace mote::hf

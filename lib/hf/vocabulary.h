/// A vocabulary as one of a directory's files has it, before it becomes keys.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/hf/tokenizer.h"
#include "lib/text/tokenizer.h"

namespace mote::hf {

inline constexpr std::string_view kSpace = "\u2581"; ///< how SentencePiece writes a space

struct FoundVocabulary {
  bool characters = false;         ///< what is merged; otherwise bytes
  std::string pre;                 ///< of bytes: the name of their text::PrePattern
  bool space_prefix = false;       ///< of characters: a space goes in front of the text
  std::vector<std::string> tokens; ///< one for each row of the embedding, which engines want; empty where there is none
  std::vector<int> types;          ///< text::TokenType of each
  std::vector<std::string> merges; ///< "left right"
  std::vector<float> scores;       ///< of characters, where they come with them; else they follow from the merges
  std::optional<int> bos, eos, unknown;
  std::optional<std::string> first; ///< the token put in front of texts, empty for none; not set: nothing says so
  bool adds_bos = false;            ///< if first does not say, nor tokenizer_config.json

  /// Unused tokens without a text.
  void resize(std::int64_t n);
  std::optional<int> find(std::string_view text) const;
};

/// From a tokenizer.model. Errors: bad_file; unsupported.
Result<FoundVocabulary> read_sentencepiece(const TokenizerFiles& files, std::int64_t n_rows);
/// Its keys, and those of special tokens, by what the other files say.
void set_vocabulary(const FoundVocabulary& vocabulary, const TokenizerFiles& files, Translation& t);

/// Of a member of an object; empty and fallback where it is missing or something else.
std::string_view string_of(const Json& object, std::string_view key);
bool flag_of(const Json& object, std::string_view key, bool fallback = false);

} // namespace mote::hf

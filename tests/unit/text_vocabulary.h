/// Small vocabularies for tests, made in place.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/text/byte_letters.h"
#include "lib/text/tokenizer.h"
#include "lib/text/utf8.h"
#include "tests/catch.h"

namespace mote::test {

using text::TokenType;
using text::Vocabulary;
using text::VocabularyKind;

inline std::int32_t add_token(Vocabulary& v, std::string_view text, TokenType type = TokenType::normal, float score = 0) {
  v.tokens.emplace_back(text);
  v.types.push_back(static_cast<std::int64_t>(type));
  if (v.kind == VocabularyKind::sentencepiece) v.scores.push_back(score);
  return static_cast<std::int32_t>(v.tokens.size()) - 1;
}

/// Bytes as a byte-level vocabulary writes them.
inline std::string letters(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) text::append_char(out, text::kByteLetters.letter_of[static_cast<unsigned char>(c)]);
  return out;
}

/// Tokens 0 to 255 are the bytes; then one for each merge ("h e" as it is, without letters), then <|end|>, which is eos and bos.
inline Vocabulary bpe_vocabulary(std::string pre, const std::vector<std::pair<std::string, std::string>>& merges = {}) {
  Vocabulary v;
  v.source = "test.gguf";
  v.kind = VocabularyKind::byte_bpe;
  v.pre = std::move(pre);
  for (int byte = 0; byte < 256; ++byte) add_token(v, letters(std::string(1, static_cast<char>(byte))));
  for (const auto& [left, right] : merges) {
    v.merges.push_back(letters(left) + " " + letters(right));
    add_token(v, letters(left + right));
  }
  v.bos = v.eos = add_token(v, "<|end|>", TokenType::control);
  return v;
}

/// Tokens 0 to 2 are <unk>, <s>, </s>; then the bytes if wanted; then these pieces, the first with the highest score.
inline Vocabulary spm_vocabulary(const std::vector<std::string>& pieces, bool bytes = true) {
  Vocabulary v;
  v.source = "test.gguf";
  v.unknown = add_token(v, "<unk>", TokenType::unknown);
  v.bos = add_token(v, "<s>", TokenType::control);
  v.eos = add_token(v, "</s>", TokenType::control);
  v.adds_bos = v.adds_space_prefix = true;
  for (int byte = 0; bytes && byte < 256; ++byte) {
    const char* digits = "0123456789ABCDEF";
    add_token(v, std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">", TokenType::byte);
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) add_token(v, pieces[i], TokenType::normal, -static_cast<float>(i));
  return v;
}

inline Tokenizer make(const Vocabulary& v) {
  auto tokenizer = text::make_tokenizer(v);
  if (!tokenizer) FAIL(tokenizer.error().message);
  return *std::move(tokenizer);
}

inline std::vector<std::int32_t> encode(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options = {}) {
  auto ids = tokenizer.encode(text, options);
  if (!ids) FAIL(ids.error().message);
  return *std::move(ids);
}

/// The tokens of a text as the vocabulary writes them.
inline std::vector<std::string> tokens_of(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options = {}) {
  std::vector<std::string> texts;
  for (const std::int32_t id : encode(tokenizer, text, options)) texts.emplace_back(tokenizer.text(id));
  return texts;
}

} // namespace mote::test

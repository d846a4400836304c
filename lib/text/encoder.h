/// One run of text to tokens.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/text/merger.h"
#include "lib/text/tokenizer_impl.h"
#include "mote/result.h"

namespace mote::text {

/// Turns text into tokens, appending to out. Belongs to one call of Tokenizer::encode.
class Encoder {
 public:
  Encoder(const Tokenizer::Impl& tokenizer, std::vector<std::int32_t>& out) : t_(tokenizer), out_(out) {}
  /// literals: what is recognised in the text. Errors: those of PreTokenizer::split.
  Status encode(std::string_view text, const LiteralTokens& literals);

 private:
  Status encode_run(std::string_view run);
  Status encode_bytes(std::string_view run);
  Status encode_valid(std::string_view run);
  void encode_word(std::string_view word);
  void merge_bytes(std::string_view word);
  void encode_sentence(std::string_view run);
  void merge_characters(std::string_view word);
  void add_merged(std::string_view word);
  void add_unmerged(std::string_view bytes);

  const Tokenizer::Impl& t_;
  std::vector<std::int32_t>& out_;
  Merger merger_;
  std::vector<std::string_view> words_;
  bool after_unknown_ = false; // SentencePiece: the last token is the unknown one, which stands for the next bytes, too
};

} // namespace mote::text

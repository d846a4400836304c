/// What a Tokenizer holds, ready for use.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/text/hash_index.h"
#include "lib/text/literal_tokens.h"
#include "lib/text/merger.h"
#include "lib/text/pre_tokenizer.h"
#include "lib/text/string_table.h"
#include "lib/text/tokenizer.h"
#include "mote/tokenizer.h"

namespace mote {

namespace text {

inline constexpr std::string_view kSpace = "\u2581"; ///< how SentencePiece writes a space

} // namespace text

struct Tokenizer::Impl {
  /// Two tokens that merge into a third, with the rank for a priority.
  struct PairMerge {
    std::int32_t left, right;
    text::Merge merge;
  };

  text::VocabularyKind kind = text::VocabularyKind::sentencepiece;
  text::StringTable texts, pieces;             // [n_vocab]
  std::array<std::int32_t, 256> byte_tokens{}; // -1: none
  std::int32_t bos = -1, eos = -1, unknown = -1;
  std::vector<std::int32_t> ends;              // where generation ends, sorted
  bool adds_bos = false, adds_space_prefix = false;
  text::LiteralTokens literals;                // user-defined tokens
  text::LiteralTokens special_literals;        // and control tokens

  // sentencepiece
  text::HashIndex by_text;                     // the tokens that merging can make
  std::size_t max_token_bytes = 0;             // of those
  std::vector<std::uint32_t> priorities;       // [n_vocab], by score
  bool spaces_lead = false; // in all tokens spaces come first: nothing merges across the place before a space behind another character

  // byte_bpe, and sentencepiece where its merges are given: scores do not count then
  std::vector<PairMerge> merges;
  text::HashIndex by_pair;                     // of merges

  // byte_bpe
  text::PreTokenizer pre_tokenizer;
  bool nfc = false, whole_words = false;
  text::HashIndex by_piece;                    // whole_words: the normal tokens by their bytes

  /// The token with this text that merging can make, or -1.
  std::int32_t find_text(std::string_view text) const noexcept {
    return by_text.find(text::hash_text(text, by_text.seed()), [&](std::size_t i) { return texts[i] == text; });
  }
  /// The normal token of these bytes, or -1.
  std::int32_t find_piece(std::string_view bytes) const noexcept {
    return by_piece.find(text::hash_text(bytes, by_piece.seed()), [&](std::size_t i) { return pieces[i] == bytes; });
  }
  /// What a token adds to a text: its piece, without the space that encode() puts in front. started: whether the text has begun.
  std::string_view piece_in_text(std::int32_t token, bool& started) const noexcept {
    if (token < 0 || static_cast<std::size_t>(token) >= pieces.size()) return {};
    std::string_view bytes = pieces[static_cast<std::size_t>(token)];
    if (started || bytes.empty()) return bytes;
    started = true;
    if (adds_space_prefix && bytes[0] == ' ') bytes.remove_prefix(1);
    return bytes;
  }
  static std::uint64_t hash_pair(std::int32_t left, std::int32_t right, std::uint64_t seed) noexcept {
    return text::hash_number(static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right), seed);
  }
  text::Merge find_merge(std::int32_t left, std::int32_t right) const noexcept {
    const std::int32_t place = by_pair.find(hash_pair(left, right, by_pair.seed()),
                                            [&](std::size_t i) { return merges[i].left == left && merges[i].right == right; });
    return place < 0 ? text::Merge{} : merges[static_cast<std::size_t>(place)].merge;
  }
};

} // namespace mote

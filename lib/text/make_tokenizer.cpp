#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "lib/gguf/format.h"
#include "lib/text/byte_letters.h"
#include "lib/text/tokenizer.h"
#include "lib/text/tokenizer_impl.h"
#include "lib/text/utf8.h"

namespace mote::text {
namespace {

// Control tokens that end a turn or a text in the families' chat formats, beside what the file names.
constexpr std::string_view kEndTexts[] = {"<|endoftext|>", "<|end_of_text|>", "<|eot_id|>",    "<|eom_id|>", "<|im_end|>",
                                          "<|end|>",       "<|EOT|>",         "<end_of_turn>", "</s>",       "<｜end▁of▁sentence｜>"};

/// Checks a vocabulary and fills a Tokenizer::Impl with it, step by step; each step relies on those before it.
class Maker {
 public:
  explicit Maker(const Vocabulary& vocabulary) : v_(vocabulary), impl_(std::make_shared<Tokenizer::Impl>()) {}

  Result<Tokenizer> make() {
    using Step = Status (Maker::*)();
    constexpr Step kSteps[] = {&Maker::check_sizes, &Maker::add_tokens, &Maker::check_unique, &Maker::set_special, &Maker::add_literals};
    for (const Step step : kSteps) {
      if (Status status = (this->*step)(); !status) return std::move(status).error();
    }
    const bool bpe = v_.kind == VocabularyKind::byte_bpe;
    Status status = bpe ? make_byte_bpe() : make_sentencepiece();
    if (!status) return std::move(status).error();
    return Tokenizer(std::move(impl_));
  }

 private:
  std::size_t n_vocab() const { return v_.tokens.size(); }
  TokenType type(std::size_t token) const { return v_.types.empty() ? TokenType::normal : static_cast<TokenType>(v_.types[token]); }
  Error error(ErrorCode code, std::string_view key, const std::string& what) const {
    return Error{code, v_.source + ": key \"tokenizer.ggml." + std::string(key) + "\": " + what};
  }
  Error bad(std::string_view key, const std::string& what) const { return error(ErrorCode::bad_file, key, what); }
  std::string name(std::size_t token) const { return "token " + std::to_string(token) + " " + gguf::quote(v_.tokens[token]); }

  Status check_sizes();
  Status check_length(std::string_view key, std::size_t length) const;
  Status add_tokens();
  Status add_byte_token(std::size_t token, std::string& piece);
  Status check_unique();
  Status set_special();
  Status check_id(std::string_view key, std::int64_t id) const;
  Status add_literals();
  Status make_sentencepiece();
  Status make_byte_bpe();
  Status add_merges();
  Result<Tokenizer::Impl::PairMerge> read_merge(std::size_t rank) const;
  std::int32_t find(std::string_view text) const {
    return all_.find(hash_text(text, all_.seed()), [&](std::size_t i) { return v_.tokens[i] == text; });
  }

  const Vocabulary& v_;
  std::shared_ptr<Tokenizer::Impl> impl_;
  HashIndex all_; // tokens of every type, by text
};

Status Maker::check_length(std::string_view key, std::size_t length) const {
  if (length == n_vocab()) return {};
  return bad(key, "expected one for each of the " + std::to_string(n_vocab()) + " tokens, found " + std::to_string(length));
}

Status Maker::check_sizes() {
  constexpr std::size_t kMaxTokens = std::numeric_limits<std::int32_t>::max();
  if (n_vocab() == 0) return bad("tokens", "expected at least one token, found none");
  if (n_vocab() > kMaxTokens) return bad("tokens", "more than " + std::to_string(kMaxTokens) + " tokens");
  std::uint64_t n_bytes = 0;
  for (const std::string& token : v_.tokens) n_bytes += token.size();
  if (n_bytes > std::numeric_limits<std::uint32_t>::max()) return bad("tokens", "more than 4 GiB of text");

  const bool scored = v_.kind == VocabularyKind::sentencepiece;
  if (scored || !v_.types.empty()) {
    if (Status status = check_length("token_type", v_.types.size()); !status) return status;
  }
  for (std::size_t i = 0; i < v_.types.size(); ++i) {
    if (v_.types[i] < 1 || v_.types[i] > 6) return bad("token_type", name(i) + ": expected a type from 1 to 6, found " + std::to_string(v_.types[i]));
  }
  if (!scored) return {};
  if (Status status = check_length("scores", v_.scores.size()); !status) return status;
  for (std::size_t i = 0; i < v_.scores.size(); ++i) {
    if (std::isnan(v_.scores[i])) return bad("scores", name(i) + ": the score is not a number");
  }
  return {};
}

/// The bytes that a token of byte-level BPE is written for. What is no byte's letter stands for itself.
std::string read_letters(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const Utf8Char c = read_char(text);
    const int byte = c.kind == Utf8::valid && c.code < kNumByteLetters ? kByteLetters.byte_of[static_cast<std::size_t>(c.code)] : -1;
    if (byte >= 0) {
      bytes += static_cast<char>(static_cast<unsigned char>(byte));
    } else {
      bytes += text.substr(0, c.size);
    }
    text.remove_prefix(c.size);
  }
  return bytes;
}

std::string with_spaces(std::string_view text) {
  std::string out;
  for (std::size_t at; (at = text.find(kSpace)) != std::string_view::npos; text.remove_prefix(at + kSpace.size())) {
    out += text.substr(0, at);
    out += ' ';
  }
  return out += text;
}

/// The byte of "<0xE2>".
std::optional<unsigned char> read_byte_token(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return std::nullopt;
  const int high = digit(text[3]), low = digit(text[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

Status Maker::add_byte_token(std::size_t token, std::string& piece) {
  const auto byte = read_byte_token(v_.tokens[token]);
  if (!byte) return bad("tokens", name(token) + " is of type byte, expected \"<0x00>\" to \"<0xFF>\"");
  piece.assign(1, static_cast<char>(*byte));
  if (v_.kind != VocabularyKind::sentencepiece) return {};
  std::int32_t& place = impl_->byte_tokens[*byte];
  if (place >= 0) return bad("tokens", name(static_cast<std::size_t>(place)) + " and " + name(token) + " are the same byte");
  place = static_cast<std::int32_t>(token);
  return {};
}

Status Maker::add_tokens() {
  impl_->kind = v_.kind;
  impl_->byte_tokens.fill(-1);
  std::size_t n_bytes = 0;
  for (const std::string& token : v_.tokens) n_bytes += token.size();
  impl_->texts.reserve(n_vocab(), n_bytes);
  impl_->pieces.reserve(n_vocab(), 0);
  std::string piece;
  for (std::size_t i = 0; i < n_vocab(); ++i) {
    const std::string& text = v_.tokens[i];
    impl_->texts.add(text);
    switch (type(i)) {
      case TokenType::unknown:
      case TokenType::control: piece.clear(); break;
      case TokenType::byte:
        if (Status status = add_byte_token(i, piece); !status) return status;
        break;
      case TokenType::user_defined: piece = v_.kind == VocabularyKind::byte_bpe ? text : with_spaces(text); break;
      case TokenType::normal:
      case TokenType::unused: piece = v_.kind == VocabularyKind::byte_bpe ? read_letters(text) : with_spaces(text); break;
    }
    impl_->pieces.add(piece);
  }
  return {};
}

Status Maker::check_unique() {
  // Empty tokens fill holes in some vocabularies; no text becomes one.
  const auto hash = [&](std::size_t i, std::uint64_t seed) {
    return v_.tokens[i].empty() ? std::nullopt : std::optional(hash_text(v_.tokens[i], seed));
  };
  const auto twins = all_.build(n_vocab(), hash, [&](std::size_t i, std::size_t j) { return v_.tokens[i] == v_.tokens[j]; });
  if (!twins) return {};
  return bad("tokens", name(twins->first) + " is there twice, again as token " + std::to_string(twins->second));
}

Status Maker::check_id(std::string_view key, std::int64_t id) const {
  if (id >= -1 && id < static_cast<std::int64_t>(n_vocab())) return {};
  return bad(key, "expected an id below " + std::to_string(n_vocab()) + ", the number of tokens, found " + std::to_string(id));
}

Status Maker::set_special() {
  const std::pair<std::string_view, std::int64_t> ids[] = {
      {"bos_token_id", v_.bos}, {"eos_token_id", v_.eos}, {"eot_token_id", v_.eot}, {"unknown_token_id", v_.unknown}};
  for (const auto& [key, id] : ids) {
    if (Status status = check_id(key, id); !status) return status;
  }
  if (v_.adds_bos && v_.bos < 0) return bad("add_bos_token", "true, but no key \"tokenizer.ggml.bos_token_id\" says which token");
  impl_->bos = static_cast<std::int32_t>(v_.bos);
  impl_->eos = static_cast<std::int32_t>(v_.eos);
  impl_->unknown = static_cast<std::int32_t>(v_.unknown);
  impl_->adds_bos = v_.adds_bos;

  std::vector<std::int32_t>& ends = impl_->ends;
  if (v_.eos >= 0) ends.push_back(impl_->eos);
  if (v_.eot >= 0) ends.push_back(static_cast<std::int32_t>(v_.eot));
  for (const std::string_view text : kEndTexts) {
    const std::int32_t token = find(text);
    if (token < 0) continue;
    const TokenType t = type(static_cast<std::size_t>(token));
    if (t == TokenType::control || t == TokenType::user_defined) ends.push_back(token);
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return {};
}

Status Maker::add_literals() {
  std::vector<LiteralTokens::Literal> user_defined, special;
  for (std::size_t i = 0; i < n_vocab(); ++i) {
    const TokenType t = type(i);
    if ((t != TokenType::user_defined && t != TokenType::control) || v_.tokens[i].empty()) continue;
    if (v_.tokens[i].size() > LiteralTokens::kMaxBytes) {
      return error(ErrorCode::unsupported, "tokens",
                   name(i) + " is a user-defined or control token of " + std::to_string(v_.tokens[i].size()) + " bytes, the limit is " +
                       std::to_string(LiteralTokens::kMaxBytes));
    }
    const auto token = static_cast<std::int32_t>(i);
    special.push_back({t == TokenType::control ? v_.tokens[i] : std::string(impl_->pieces[i]), token});
    if (t == TokenType::user_defined) user_defined.push_back(special.back());
  }
  impl_->literals = LiteralTokens(std::move(user_defined));
  impl_->special_literals = LiteralTokens(std::move(special));
  return {};
}

/// Lower for higher scores, equal for equal ones.
std::uint32_t priority_of(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0f); // -0 is 0
  const std::uint32_t ascending = bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
  return ~ascending;
}

Status Maker::make_sentencepiece() {
  if (impl_->unknown < 0) {
    const auto found = std::find(v_.types.begin(), v_.types.end(), static_cast<std::int64_t>(TokenType::unknown));
    if (found != v_.types.end()) impl_->unknown = static_cast<std::int32_t>(found - v_.types.begin());
  }
  const auto& bytes = impl_->byte_tokens;
  const auto missing = std::find(bytes.begin(), bytes.end(), -1);
  if (impl_->unknown < 0 && missing != bytes.end()) {
    return bad("tokens", "no token for the byte " + std::to_string(missing - bytes.begin()) + " and none for the unknown");
  }

  impl_->adds_space_prefix = v_.adds_space_prefix;
  impl_->spaces_lead = true;
  impl_->priorities.resize(n_vocab());
  for (std::size_t i = 0; i < n_vocab(); ++i) {
    impl_->priorities[i] = priority_of(v_.scores[i]);
    if (type(i) != TokenType::normal && v_.merges.empty()) continue; // merges name what they make, whatever its type
    std::string_view rest = v_.tokens[i];
    impl_->max_token_bytes = std::max(impl_->max_token_bytes, rest.size());
    while (rest.substr(0, kSpace.size()) == kSpace) rest.remove_prefix(kSpace.size());
    if (rest.find(kSpace) != std::string_view::npos) impl_->spaces_lead = false;
  }
  const auto hash = [&](std::size_t i, std::uint64_t seed) {
    return type(i) != TokenType::normal || v_.tokens[i].empty() ? std::nullopt : std::optional(hash_text(v_.tokens[i], seed));
  };
  impl_->by_text.build(n_vocab(), hash, [](std::size_t, std::size_t) { return false; }); // check_unique has found them all different
  return add_merges();
}

Status Maker::make_byte_bpe() {
  const PrePattern* pre = find_pre_pattern(v_.pre);
  if (pre == nullptr) {
    return error(ErrorCode::unsupported, "pre", "unknown pre-tokenizer " + gguf::quote(v_.pre) + ", supported: " + pre_pattern_names());
  }
  auto pre_tokenizer = PreTokenizer::create(pre->splits);
  if (!pre_tokenizer) return error(pre_tokenizer.error().code, "pre", pre_tokenizer.error().message);
  impl_->pre_tokenizer = std::move(*pre_tokenizer);
  impl_->nfc = pre->nfc;
  impl_->whole_words = pre->whole_words;

  std::string letter;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    letter.clear();
    append_char(letter, kByteLetters.letter_of[byte]);
    const std::int32_t token = find(letter);
    if (token >= 0 && type(static_cast<std::size_t>(token)) == TokenType::normal) impl_->byte_tokens[byte] = token;
  }
  if (impl_->whole_words) {
    const auto hash = [&](std::size_t i, std::uint64_t seed) {
      return type(i) != TokenType::normal || v_.tokens[i].empty() ? std::nullopt : std::optional(hash_text(impl_->pieces[i], seed));
    };
    // Two tokens of the same bytes: possible with characters that are no letters of bytes; either will do.
    impl_->by_piece.build(n_vocab(), hash, [](std::size_t, std::size_t) { return false; });
  }
  return add_merges();
}

Result<Tokenizer::Impl::PairMerge> Maker::read_merge(std::size_t rank) const {
  const std::string_view merge = v_.merges[rank];
  const auto wrong = [&](const std::string& what) { return bad("merges", "merge " + std::to_string(rank) + " " + gguf::quote(merge) + ": " + what); };
  const std::size_t space = merge.find(' ');
  if (space == std::string_view::npos || space == 0 || space + 1 == merge.size() || merge.find(' ', space + 1) != std::string_view::npos) {
    return wrong("expected two tokens and a space between them");
  }
  const std::string_view left = merge.substr(0, space), right = merge.substr(space + 1);
  const std::string both = std::string(left).append(right);
  const std::int32_t tokens[] = {find(left), find(right), find(both)};
  if (tokens[0] < 0) return wrong(gguf::quote(left) + " is no token");
  if (tokens[1] < 0) return wrong(gguf::quote(right) + " is no token");
  if (tokens[2] < 0) return wrong(gguf::quote(both) + " is no token");
  return Tokenizer::Impl::PairMerge{tokens[0], tokens[1], {tokens[2], static_cast<std::uint32_t>(rank)}};
}

Status Maker::add_merges() {
  constexpr std::size_t kMaxMerges = std::numeric_limits<std::int32_t>::max();
  if (v_.merges.size() > kMaxMerges) return bad("merges", "more than " + std::to_string(kMaxMerges) + " merges");
  auto& merges = impl_->merges;
  merges.reserve(v_.merges.size());
  for (std::size_t rank = 0; rank < v_.merges.size(); ++rank) {
    auto merge = read_merge(rank);
    if (!merge) return std::move(merge).error();
    merges.push_back(*merge);
  }
  const auto hash = [&](std::size_t i, std::uint64_t seed) {
    return std::optional(Tokenizer::Impl::hash_pair(merges[i].left, merges[i].right, seed));
  };
  const auto same = [&](std::size_t i, std::size_t j) { return merges[i].left == merges[j].left && merges[i].right == merges[j].right; };
  const auto twins = impl_->by_pair.build(merges.size(), hash, same);
  if (!twins) return {};
  return bad("merges", "merge " + std::to_string(twins->first) + " " + gguf::quote(v_.merges[twins->first]) + " is there twice, again as merge " +
                           std::to_string(twins->second));
}

} // namespace

Result<Tokenizer> make_tokenizer(const Vocabulary& vocabulary) { return Maker(vocabulary).make(); }

} // namespace mote::text

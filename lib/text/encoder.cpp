#include "lib/text/encoder.h"

#include <string>

#include "lib/text/nfc.h"
#include "lib/text/utf8.h"

namespace mote::text {

Status Encoder::encode(std::string_view text, const LiteralTokens& literals) {
  for (std::size_t at = 0; at < text.size();) {
    const LiteralTokens::Match match = literals.find(text, at);
    if (Status status = encode_run(text.substr(at, match.begin - at)); !status) return status;
    if (match.size != 0) out_.push_back(match.token);
    at = match.begin + match.size;
  }
  return {};
}

Status Encoder::encode_run(std::string_view run) {
  if (run.empty()) return {};
  if (t_.kind == VocabularyKind::byte_bpe) return encode_bytes(run);
  encode_sentence(run);
  return {};
}

/// Byte-level BPE. Bytes that are no UTF-8 are a word of their own: the patterns speak of characters.
Status Encoder::encode_bytes(std::string_view run) {
  while (!run.empty()) {
    const std::size_t n_valid = valid_prefix(run);
    if (n_valid != 0) {
      if (Status status = encode_valid(run.substr(0, n_valid)); !status) return status;
      run.remove_prefix(n_valid);
    }
    std::size_t n_invalid = 0;
    while (n_invalid < run.size()) {
      const Utf8Char c = read_char(run.substr(n_invalid));
      if (c.kind == Utf8::valid) break;
      n_invalid += c.size;
    }
    if (n_invalid != 0) encode_word(run.substr(0, n_invalid));
    run.remove_prefix(n_invalid);
  }
  return {};
}

Status Encoder::encode_valid(std::string_view run) {
  std::string normalized;
  if (t_.nfc && may_change_in_nfc(run)) {
    normalized = to_nfc(run);
    run = normalized;
  }
  if (Status status = t_.pre_tokenizer.split(run, words_); !status) return status;
  for (const std::string_view word : words_) encode_word(word);
  return {};
}

void Encoder::encode_word(std::string_view word) {
  if (t_.whole_words) {
    if (const std::int32_t token = t_.find_piece(word); token >= 0) {
      out_.push_back(token);
      return;
    }
  }
  merge_bytes(word);
}

void Encoder::merge_bytes(std::string_view word) {
  merger_.clear();
  for (std::size_t i = 0; i < word.size(); ++i) {
    // A byte that the vocabulary lacks is left out: that is what the tokenizers which such vocabularies come from do.
    const std::int32_t token = t_.byte_tokens[static_cast<unsigned char>(word[i])];
    if (token >= 0) merger_.add(static_cast<std::uint32_t>(i), 1, token);
  }
  merger_.run([&](const Symbol& left, const Symbol& right) { return t_.find_merge(left.token, right.token); });
  merger_.for_each([&](const Symbol& symbol) { out_.push_back(symbol.token); });
}

/// SentencePiece: spaces are characters like others, and everything may merge.
void Encoder::encode_sentence(std::string_view run) {
  std::string text;
  text.reserve(run.size() + run.size() / 2);
  if (t_.adds_space_prefix) text += kSpace;
  for (const char c : run) {
    if (c == ' ') {
      text += kSpace;
    } else {
      text += c;
    }
  }
  after_unknown_ = false;
  if (!t_.spaces_lead) return merge_characters(text);
  // Where nothing can merge across, a short word at a time: the same tokens in less time and memory.
  const std::string_view all = text;
  std::size_t begin = 0;
  for (std::size_t at = all.find(kSpace); at != std::string_view::npos; at = all.find(kSpace, at + kSpace.size())) {
    const bool first_space = at < kSpace.size() || all.substr(at - kSpace.size(), kSpace.size()) != kSpace;
    if (!first_space || at == begin) continue;
    merge_characters(all.substr(begin, at - begin));
    begin = at;
  }
  merge_characters(all.substr(begin));
}

void Encoder::merge_characters(std::string_view word) {
  merger_.clear();
  for (std::size_t at = 0; at < word.size();) {
    const Utf8Char c = read_char(word.substr(at));
    const std::size_t size = c.kind == Utf8::valid ? c.size : 1;
    merger_.add(static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size), t_.find_text(word.substr(at, size)));
    at += size;
  }
  if (!t_.merges.empty()) {
    merger_.run([&](const Symbol& left, const Symbol& right) { return t_.find_merge(left.token, right.token); });
    return add_merged(word);
  }
  merger_.run([&](const Symbol& left, const Symbol& right) -> Merge {
    const std::size_t size = std::size_t{left.size} + right.size;
    if (size > t_.max_token_bytes) return {};
    const std::int32_t token = t_.find_text(word.substr(left.begin, size));
    if (token < 0) return {};
    return {token, t_.priorities[static_cast<std::size_t>(token)]};
  });
  add_merged(word);
}

void Encoder::add_merged(std::string_view word) {
  merger_.for_each([&](const Symbol& symbol) {
    if (symbol.token >= 0) {
      out_.push_back(symbol.token);
      after_unknown_ = false;
    } else {
      add_unmerged(word.substr(symbol.begin, symbol.size));
    }
  });
}

/// What the vocabulary has no token for: byte by byte, or as the unknown token, one for all that stands together.
void Encoder::add_unmerged(std::string_view bytes) {
  for (const char c : bytes) {
    const std::int32_t token = t_.byte_tokens[static_cast<unsigned char>(c)];
    if (token >= 0) {
      out_.push_back(token);
      after_unknown_ = false;
    } else if (!after_unknown_) {
      out_.push_back(t_.unknown);
      after_unknown_ = true;
    }
  }
}

} // namespace mote::text

#include "lib/text/made_up_vocabulary.h"

#include "lib/text/byte_letters.h"
#include "lib/text/utf8.h"

namespace mote::text {

Vocabulary make_up_vocabulary(std::size_t n_vocab) {
  Vocabulary v;
  v.kind = VocabularyKind::byte_bpe;
  v.pre = "gpt-2";
  if (n_vocab < 257) return v;
  std::string letter;
  for (const auto code : kByteLetters.letter_of) {
    letter.clear();
    append_char(letter, code);
    v.tokens.push_back(letter);
  }
  // Words of two letters, then of three, and so on: every word and every letter in front of them, by every letter behind.
  letter.clear();
  append_char(letter, kByteLetters.letter_of[' ']);
  std::vector<std::string> words{letter};
  for (char c = 'a'; c <= 'z'; ++c) words.emplace_back(1, c);
  for (std::size_t i = 0; v.tokens.size() + 1 < n_vocab; ++i)
    for (char c = 'a'; c <= 'z' && v.tokens.size() + 1 < n_vocab; ++c) {
      v.merges.push_back(words[i] + ' ' + c);
      words.push_back(words[i] + c);
      v.tokens.push_back(words.back());
    }
  v.tokens.push_back("<|endoftext|>");
  v.types.assign(n_vocab, static_cast<std::int64_t>(TokenType::normal));
  v.types.back() = static_cast<std::int64_t>(TokenType::control);
  v.bos = v.eos = static_cast<std::int64_t>(n_vocab) - 1;
  return v;
}

void write_vocabulary(const Vocabulary& v, gguf::KeyValues& keys) {
  constexpr std::string_view kModel = "tokenizer.ggml.model";
  if (v.tokens.empty()) return keys.set_string(kModel, "none");
  keys.set_string(kModel, "gpt2");
  keys.set_string("tokenizer.ggml.pre", v.pre);
  keys.set_strings("tokenizer.ggml.tokens", v.tokens);
  keys.set_i32s("tokenizer.ggml.token_type", std::vector<std::int32_t>(v.types.begin(), v.types.end()));
  keys.set_strings("tokenizer.ggml.merges", v.merges);
  keys.set_u32("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(v.bos));
  keys.set_u32("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(v.eos));
  keys.set_bool("tokenizer.ggml.add_bos_token", v.adds_bos);
}

} // namespace mote::text

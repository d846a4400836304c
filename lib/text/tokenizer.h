/// From the vocabulary of a file, or plain data, to a Tokenizer.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/gguf/file.h"
#include "mote/result.h"
#include "mote/tokenizer.h"

namespace mote::text {

enum class VocabularyKind : std::uint8_t {
  sentencepiece, ///< tokenizer.ggml.model "llama": characters merged by score, spaces written as U+2581
  byte_bpe,      ///< "gpt2": bytes merged by rank within the words of a pre-tokenizer, bytes written as letters
};

/// The values are those of the format.
enum class TokenType : std::uint8_t { normal = 1, unknown, control, user_defined, unused, byte };

/// What the keys tokenizer.ggml.* say. Untrusted: make_tokenizer checks all of it.
struct Vocabulary {
  std::string source;                ///< what errors begin with: the file's name
  VocabularyKind kind = VocabularyKind::sentencepiece;
  std::string pre;                   ///< byte_bpe
  std::vector<std::string> tokens;
  std::vector<float> scores;         ///< sentencepiece: one for each token, higher merges first; else, or with merges, not used
  std::vector<std::int64_t> types;   ///< TokenType for each token; byte_bpe: may be empty, then all are normal
  std::vector<std::string> merges;   ///< byte_bpe, or sentencepiece without scores of its own: "left right", the most urgent first
  std::int64_t bos = -1, eos = -1, eot = -1, unknown = -1; ///< -1: none
  bool adds_bos = false;
  bool adds_space_prefix = false;    ///< sentencepiece: a space goes in front of the text
};

/// Errors: bad_file (what contradicts itself), unsupported (a pre-tokenizer, by name), naming the source and the key.
Result<Tokenizer> make_tokenizer(const Vocabulary& vocabulary);

/// Of a file whose tokenizer has been seen to be one that cannot be had: the reason, a string.
inline constexpr std::string_view kProblemKey = "tokenizer.mote.problem";

/// Whether the file has a vocabulary, be it one that can be read or not.
bool has_tokenizer(const gguf::File& file);
/// Errors: bad_file, unsupported (the model or pre-tokenizer, by name), naming the file and the key.
Result<Tokenizer> read_tokenizer(const gguf::File& file);

} // namespace mote::text

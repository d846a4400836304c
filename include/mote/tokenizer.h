/// Text to token ids and back.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mote/result.h"

namespace mote {

struct EncodeOptions {
  bool bos = false;           ///< put the beginning-of-sequence token first; an error where there is none
  bool parse_special = false; ///< recognise the text of control tokens ("<s>", "<|endoftext|>") as those tokens
};

/// SentencePiece-style and byte-level BPE vocabularies as GGUF stores them. Immutable; any thread.
class Tokenizer {
 public:
  /// Reads the vocabulary of a GGUF file, which needs no model in it, or of a model's Hugging Face directory. Errors: io, bad_file, unsupported, out_of_memory.
  static Result<Tokenizer> open(const std::string& path);

  int n_vocab() const noexcept;
  /// Time is n log n in the text at worst, whatever the text. Any bytes are accepted, also those that are no UTF-8: they become
  /// byte tokens where the vocabulary has them; else the unknown token (SentencePiece-style) or nothing (byte-level BPE, as in
  /// the models' own tokenizers, which have no unknown token). Where the model's tokenizer normalizes text to NFC, so does this.
  /// A SentencePiece-style vocabulary that wants a space in front of the text gets it, also after each special token.
  /// Errors: invalid_argument (more than 1 GiB), out_of_memory.
  Result<std::vector<std::int32_t>> encode(std::string_view text, const EncodeOptions& options = {}) const;
  /// The bytes that the token stands for: may be part of a UTF-8 character. Empty for control tokens, the unknown token and bad
  /// ids. Lives as long as the tokenizer.
  std::string_view piece(std::int32_t token) const noexcept;
  /// The token as the vocabulary writes it ("▁the", "Ġthe", "<s>"); empty for bad ids.
  std::string_view text(std::int32_t token) const noexcept;
  /// The pieces of the tokens, byte for byte; the space that encode() puts in front is dropped.
  std::string decode(std::span<const std::int32_t> tokens) const;

  /// -1 where the vocabulary has none.
  std::int32_t bos() const noexcept;
  std::int32_t eos() const noexcept;
  /// Whether the model was trained with bos in front.
  bool adds_bos() const noexcept;
  /// Whether generation ends at this token (end of sequence or of turn).
  bool is_end(std::int32_t token) const noexcept;
  std::size_t memory_bytes() const noexcept;

  struct Impl;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
  const Impl& impl() const noexcept { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// Turns a stream of tokens into text, never cutting a UTF-8 character. Bytes that can never become valid UTF-8 are
/// replaced by U+FFFD. The tokenizer must outlive it.
class TextStream {
 public:
  explicit TextStream(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}
  /// The text that this token completes; may be empty. Valid until the next call.
  std::string_view push(std::int32_t token);
  /// What is left at the end: U+FFFD for an incomplete character. The next push begins a new text.
  std::string_view finish();

 private:
  const Tokenizer* tokenizer_;
  bool started_ = false;
  std::string pending_, out_;
};

} // namespace mote

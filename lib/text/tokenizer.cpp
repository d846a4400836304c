#include "lib/text/tokenizer.h"

#include <algorithm>
#include <exception>
#include <string_view>

#include "lib/text/encoder.h"
#include "lib/text/tokenizer_impl.h"

namespace mote {
namespace {

bool is_token(std::int32_t token, std::size_t n_vocab) noexcept { return token >= 0 && static_cast<std::size_t>(token) < n_vocab; }

Result<std::vector<std::int32_t>> encode_all(const Tokenizer::Impl& tokenizer, std::string_view text, const EncodeOptions& options) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 30; // places in the text are 32-bit numbers, and a space may become three bytes
  if (text.size() > kMaxBytes) {
    return Error{ErrorCode::invalid_argument, "a text of " + std::to_string(text.size()) + " bytes, the limit is " + std::to_string(kMaxBytes)};
  }
  std::vector<std::int32_t> tokens;
  if (options.bos) {
    if (tokenizer.bos < 0) return Error{ErrorCode::invalid_argument, "the vocabulary has no beginning-of-sequence token"};
    tokens.push_back(tokenizer.bos);
  }
  text::Encoder encoder(tokenizer, tokens);
  const Status status = encoder.encode(text, options.parse_special ? tokenizer.special_literals : tokenizer.literals);
  if (!status) return status.error();
  return tokens;
}

} // namespace

int Tokenizer::n_vocab() const noexcept { return static_cast<int>(impl_->texts.size()); }

Result<std::vector<std::int32_t>> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  try {
    return encode_all(*impl_, text, options);
  } catch (const std::exception&) { // std::bad_alloc or std::length_error
    return Error{ErrorCode::out_of_memory, "out of memory"};
  }
}

std::string_view Tokenizer::piece(std::int32_t token) const noexcept {
  return is_token(token, impl_->pieces.size()) ? impl_->pieces[static_cast<std::size_t>(token)] : std::string_view();
}

std::string_view Tokenizer::text(std::int32_t token) const noexcept {
  return is_token(token, impl_->texts.size()) ? impl_->texts[static_cast<std::size_t>(token)] : std::string_view();
}

std::string Tokenizer::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  bool started = false;
  for (const std::int32_t token : tokens) text += impl_->piece_in_text(token, started);
  return text;
}

std::int32_t Tokenizer::bos() const noexcept { return impl_->bos; }
std::int32_t Tokenizer::eos() const noexcept { return impl_->eos; }
bool Tokenizer::adds_bos() const noexcept { return impl_->adds_bos; }

bool Tokenizer::is_end(std::int32_t token) const noexcept { return std::binary_search(impl_->ends.begin(), impl_->ends.end(), token); }

std::size_t Tokenizer::memory_bytes() const noexcept {
  const Impl& t = *impl_;
  return sizeof t + t.texts.memory_bytes() + t.pieces.memory_bytes() + t.literals.memory_bytes() + t.special_literals.memory_bytes() +
         t.by_text.memory_bytes() + t.priorities.capacity() * sizeof t.priorities[0] + t.merges.capacity() * sizeof t.merges[0] +
         t.by_pair.memory_bytes() + t.pre_tokenizer.memory_bytes() + t.by_piece.memory_bytes();
}

} // namespace mote

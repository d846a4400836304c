// tokenizer.model: sentencepiece_model.proto of https://github.com/google/sentencepiece, as much as BPE models need.
#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "lib/gguf/format.h"
#include "lib/hf/vocabulary.h"

namespace mote::hf {

namespace {

using text::TokenType;

Error bad(std::string what) { return {ErrorCode::bad_file, "tokenizer.model: " + std::move(what)}; }
Error unsupported(std::string what) { return {ErrorCode::unsupported, "tokenizer.model: " + std::move(what)}; }

/// One field of a message in protobuf's wire format.
struct Field {
  std::uint64_t number = 0;
  std::uint64_t integer = 0;          ///< of a varint
  std::span<const std::byte> bytes{}; ///< of a string or message, or the four bytes of a float
};

/// Reads fields to the end of a message; ok() tells whether all of it was sound.
class Message {
 public:
  explicit Message(std::span<const std::byte> bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }

  bool next(Field& field) {
    if (rest_.empty()) return false;
    const std::uint64_t tag = varint();
    field = {tag >> 3, 0, {}};
    switch (tag & 7) {
      case 0: field.integer = varint(); break;
      case 1: field.bytes = take(8); break;
      case 2: field.bytes = take(varint()); break;
      case 5: field.bytes = take(4); break;
      default: ok_ = false; break;
    }
    return ok_;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<std::uint64_t>(rest_.front());
      rest_ = rest_.subspan(1);
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::span<const std::byte> take(std::uint64_t n) {
    if (n > rest_.size()) {
      ok_ = false;
      return {};
    }
    const auto taken = rest_.first(static_cast<std::size_t>(n));
    rest_ = rest_.subspan(static_cast<std::size_t>(n));
    return taken;
  }

  std::span<const std::byte> rest_;
  bool ok_ = true;
};

struct Model {
  FoundVocabulary vocabulary;   ///< of the pieces
  std::uint64_t model_type = 1; ///< unigram, unless the file says another
  std::int32_t bos = 1, eos = 2, unknown = 0;
  bool has_charsmap = false, trims = true, prefix = true, escapes = true;
};

bool read_piece(std::span<const std::byte> bytes, FoundVocabulary& v) {
  Message message(bytes);
  std::string piece;
  float score = 0;
  auto type = static_cast<std::uint64_t>(TokenType::normal); // the numbers are GGUF's
  for (Field field; message.next(field);) {
    if (field.number == 1) piece.assign(reinterpret_cast<const char*>(field.bytes.data()), field.bytes.size());
    if (field.number == 2 && field.bytes.size() == sizeof score) std::memcpy(&score, field.bytes.data(), sizeof score);
    if (field.number == 3) type = field.integer;
  }
  v.tokens.push_back(std::move(piece));
  v.scores.push_back(score);
  v.types.push_back(static_cast<int>(std::min<std::uint64_t>(type, 7))); // more than 6 is refused with the keys
  return message.ok();
}

bool read_trainer(std::span<const std::byte> bytes, Model& model) {
  Message message(bytes);
  for (Field field; message.next(field);) {
    if (field.number == 3) model.model_type = field.integer;
    if (field.number == 40) model.unknown = static_cast<std::int32_t>(field.integer);
    if (field.number == 41) model.bos = static_cast<std::int32_t>(field.integer);
    if (field.number == 42) model.eos = static_cast<std::int32_t>(field.integer);
  }
  return message.ok();
}

bool read_normalizer(std::span<const std::byte> bytes, Model& model) {
  Message message(bytes);
  for (Field field; message.next(field);) {
    if (field.number == 2) model.has_charsmap = !field.bytes.empty();
    if (field.number == 3) model.prefix = field.integer != 0;
    if (field.number == 4) model.trims = field.integer != 0;
    if (field.number == 5) model.escapes = field.integer != 0;
  }
  return message.ok();
}

Result<Model> read_model(std::span<const std::byte> bytes) {
  Model model;
  Message message(bytes);
  for (Field field; message.next(field);) {
    const bool sound = field.number == 1   ? read_piece(field.bytes, model.vocabulary)
                       : field.number == 2 ? read_trainer(field.bytes, model)
                       : field.number == 3 ? read_normalizer(field.bytes, model)
                                           : true;
    if (!sound) return bad("damaged field " + std::to_string(field.number));
  }
  if (!message.ok()) return bad("damaged");
  if (model.vocabulary.tokens.empty()) return bad("holds no pieces");
  return model;
}

/// Tokens beyond those of the model, of added_tokens_decoder in tokenizer_config.json: id -> content, special, ...
Status read_added(const Json& tokenizer_config, std::size_t n_pieces, FoundVocabulary& v) {
  const Json* decoder = tokenizer_config.find("added_tokens_decoder");
  const Json::Object* added = decoder ? decoder->object() : nullptr;
  for (std::size_t i = 0; added && i < added->keys.size(); ++i) {
    const std::string& digits = added->keys[i];
    const bool is_number = !digits.empty() && digits.size() < 10 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number)
      return Error{ErrorCode::bad_file, "tokenizer_config.json: added_tokens_decoder: " + gguf::quote(digits) + " is no id"};
    std::size_t id = 0;
    for (const char digit : digits) id = id * 10 + static_cast<std::size_t>(digit - '0');
    const std::string content(string_of(added->values[i], "content"));
    if (id < n_pieces || id >= v.tokens.size()) continue;
    for (const char* flag : {"lstrip", "rstrip", "single_word"})
      if (flag_of(added->values[i], flag))
        return unsupported("added token " + gguf::quote(content) + " has " + flag + ", which is not supported");
    v.tokens[id] = content;
    v.types[id] = static_cast<int>(flag_of(added->values[i], "special") ? TokenType::control : TokenType::user_defined);
  }
  return {};
}

} // namespace

Result<FoundVocabulary> read_sentencepiece(const TokenizerFiles& files, std::int64_t n_rows) {
  auto model = read_model(files.sentencepiece);
  if (!model) return std::move(model).error();
  constexpr std::uint64_t kBpe = 2;
  if (model->model_type != kBpe)
    return unsupported("its model type is " + std::to_string(model->model_type) + "; supported: 2, BPE");
  if (model->has_charsmap) return unsupported("it normalizes text by a table of characters, which is not supported");
  if (model->trims) return unsupported("it removes extra spaces, which is not supported");
  if (!model->escapes) return unsupported("it does not write spaces as U+2581");
  FoundVocabulary v = std::move(model->vocabulary);
  const std::size_t n_pieces = v.tokens.size();
  if (std::cmp_greater(n_pieces, n_rows))
    return unsupported(std::to_string(n_pieces) + " tokens, but the embedding has " + std::to_string(n_rows) + " rows");
  v.resize(n_rows);
  v.scores.resize(v.tokens.size(), -1000.0f);
  if (Status status = read_added(files.tokenizer_config, n_pieces, v); !status) return std::move(status).error();
  v.characters = v.adds_bos = true; // as the tokenizers of such models do when nothing is said
  v.space_prefix = model->prefix;
  const auto id_of = [&](std::int32_t id) {
    return id >= 0 && std::cmp_less(id, n_pieces) ? std::optional<int>(id) : std::nullopt;
  };
  v.bos = id_of(model->bos);
  v.eos = id_of(model->eos);
  v.unknown = id_of(model->unknown);
  return v;
}

} // namespace mote::hf

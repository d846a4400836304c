#include "lib/hf/tokenizer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "lib/gguf/format.h"
#include "lib/hf/vocabulary.h"
#include "lib/text/pre_tokenizer.h"
#include "lib/text/tokenizer.h"

namespace mote::hf {

namespace {

using text::TokenType;

Error unsupported(std::string what) { return {ErrorCode::unsupported, "tokenizer.json: " + std::move(what)}; }
Error bad(std::string what) { return {ErrorCode::bad_file, "tokenizer.json: " + std::move(what)}; }

std::string_view type_of(const Json& step) { return string_of(step, "type"); }

/// The steps of a pre-tokenizer, normalizer, decoder or post-processor: those of a Sequence, the only one, or none.
std::vector<const Json*> steps_of(const Json& root, std::string_view key, std::string_view list) {
  const Json* step = root.find(key);
  if (!step || step->is_null()) return {};
  if (type_of(*step) != "Sequence") return {step};
  std::vector<const Json*> steps;
  if (const Json* all = step->find(list); all && all->array())
    for (const Json& one : *all->array()) steps.push_back(&one);
  return steps;
}

/// A regular expression in the way that lib/text writes them.
std::string normal_pattern(std::string_view pattern) {
  // the same without trying every space of a long run anew
  if (pattern == R"(\s+$)") return R"((?<!\s)\s++\z)";
  std::string out;
  for (std::size_t at = 0; at < pattern.size();) {
    const auto first = static_cast<unsigned char>(pattern[at]);
    if (first < 0x80) {
      if (first == '\n' || first == '\r') out += first == '\n' ? "\\n" : "\\r";
      else out += pattern[at];
      ++at;
      continue;
    }
    // characters beyond ASCII as \x{...}; the text is valid UTF-8, all JSON is
    const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    unsigned code = first & (0xFFu >> (size + 1));
    for (std::size_t i = 1; i < size && at + i < pattern.size(); ++i)
      code = code << 6 | (static_cast<unsigned char>(pattern[at + i]) & 0x3Fu);
    std::string digits;
    for (; code != 0; code >>= 4) digits.insert(digits.begin(), "0123456789ABCDEF"[code & 15]);
    out += "\\x{" + digits + "}";
    at += size;
  }
  return out;
}

/// What a step splits by; nothing if that is not known.
std::optional<std::string> split_of(const Json& step) {
  const std::string_view type = type_of(step);
  if (type == "Digits") return flag_of(step, "individual_digits") ? R"(\p{N})" : "[0-9]+";
  if (type == "Punctuation" && string_of(step, "behavior") == "Contiguous") return R"([\p{P}$\+<=>\^~\|`]+)";
  if (type == "ByteLevel" && !flag_of(step, "add_prefix_space", true))
    return flag_of(step, "use_regex", true) ? R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"
                                            : "";
  if (type == "Split" && string_of(step, "behavior") == "Isolated" && !flag_of(step, "invert"))
    if (const Json* pattern = step.find("pattern"); pattern && !string_of(*pattern, "Regex").empty())
      return normal_pattern(string_of(*pattern, "Regex"));
  return std::nullopt;
}

class Reader {
 public:
  Reader(const TokenizerFiles& files, std::int64_t n_rows) : root_(files.tokenizer), n_rows_(n_rows) {}

  Result<FoundVocabulary> read() {
    model_ = root_.find("model");
    if (!model_ || !model_->object()) return bad("model is missing or no object");
    for (const auto step :
         {&Reader::check_model, &Reader::read_vocabulary, &Reader::read_added, &Reader::read_merges, &Reader::read_kind})
      if (Status status = (this->*step)(); !status) return std::move(status).error();
    read_start();
    v_.unknown = v_.find(string_of(*model_, "unk_token"));
    return std::move(v_);
  }

 private:
  Status check_model();
  Status read_vocabulary();
  Status read_added();
  Status read_merges();
  Status read_kind();
  Status read_byte_level();
  Status read_characters();
  void read_start();

  const Json& root_;
  const std::int64_t n_rows_;
  const Json* model_ = nullptr;
  std::vector<const Json*> added_;
  FoundVocabulary v_;
};

Status Reader::check_model() {
  const std::string_view type = type_of(*model_);
  if (type != "BPE" && !(type.empty() && model_->find("merges")))
    return unsupported("its model is " + gguf::quote(type) + "; supported: BPE");
  for (const std::string_view key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json* found = model_->find(key);
    const bool none = !found || found->is_null() || (found->string() && found->string()->empty()) ||
                      (found->real() && *found->real() == 0.0) || (found->integer() && *found->integer() == 0);
    if (!none) return unsupported("model." + std::string(key) + " is " + found->describe() + ", which is not supported");
  }
  return {};
}

Status Reader::read_vocabulary() {
  const Json* vocabulary = model_->find("vocab");
  const Json::Object* entries = vocabulary ? vocabulary->object() : nullptr;
  if (!entries) return bad("model.vocab is missing or no object");
  v_.resize(n_rows_);
  for (std::size_t i = 0; i < entries->keys.size(); ++i) {
    const std::int64_t* id = entries->values[i].integer();
    if (!id || *id < 0)
      return bad("model.vocab: token " + gguf::quote(entries->keys[i]) + ": its id is " + entries->values[i].describe());
    if (*id >= n_rows_)
      return unsupported("token " + std::to_string(*id) + " has no row in the embedding of " + std::to_string(n_rows_));
    const auto at = static_cast<std::size_t>(*id);
    if (v_.types[at] != static_cast<int>(TokenType::unused))
      return bad("model.vocab: two tokens have the id " + std::to_string(*id));
    v_.tokens[at] = entries->keys[i];
    v_.types[at] = static_cast<int>(TokenType::normal);
  }
  return {};
}

Status Reader::read_added() {
  const Json* list = root_.find("added_tokens");
  if (!list || !list->array()) return {};
  for (const Json& token : *list->array()) {
    const Json* id = token.find("id");
    const std::string content(string_of(token, "content"));
    if (!id || !id->integer() || *id->integer() < 0 || content.empty()) return bad("added_tokens: a token without id or content");
    const bool special = flag_of(token, "special");
    // control tokens that the model was never given ("[PAD]"): it cannot be asked about them
    if (special && *id->integer() >= std::ssize(v_.tokens)) continue;
    if (*id->integer() >= std::ssize(v_.tokens))
      return unsupported("token " + id->describe() + " has no row in the embedding of " + std::to_string(v_.tokens.size()));
    for (const char* flag : {"lstrip", "rstrip", "single_word"})
      if (flag_of(token, flag))
        return unsupported("added token " + gguf::quote(content) + " has " + flag + ", which is not supported");
    const auto at = static_cast<std::size_t>(*id->integer());
    v_.tokens[at] = content;
    v_.types[at] = static_cast<int>(special ? TokenType::control : TokenType::user_defined);
    added_.push_back(&token);
  }
  return {};
}

/// Merges are "left right" or a list of two.
Status Reader::read_merges() {
  const Json* list = model_->find("merges");
  if (!list || !list->array()) return bad("model.merges is missing or no list");
  for (const Json& merge : *list->array()) {
    const Json::Array* pair = merge.array();
    const bool two = pair && pair->size() == 2 && (*pair)[0].string() && (*pair)[1].string();
    if (!merge.string() && !two) return bad("model.merges: " + merge.describe() + ", expected two tokens");
    if (two && ((*pair)[0].string()->find(' ') != std::string::npos || (*pair)[1].string()->find(' ') != std::string::npos))
      return unsupported("merges of tokens with spaces in them are not supported");
    v_.merges.push_back(two ? *(*pair)[0].string() + " " + *(*pair)[1].string() : *merge.string());
  }
  return {};
}

Status Reader::read_kind() {
  v_.characters = flag_of(*model_, "byte_fallback");
  return v_.characters ? read_characters() : read_byte_level();
}

Status Reader::read_byte_level() {
  const auto normalizers = steps_of(root_, "normalizer", "normalizers");
  const bool nfc = normalizers.size() == 1 && type_of(*normalizers[0]) == "NFC";
  if (!nfc && !normalizers.empty())
    return unsupported("its normalizer " + gguf::quote(type_of(*normalizers[0])) + " is not supported");
  std::vector<std::string> splits;
  bool bytes = false;
  for (const Json* step : steps_of(root_, "pre_tokenizer", "pretokenizers")) {
    const auto split = split_of(*step);
    if (!split)
      return unsupported("the step " + gguf::quote(type_of(*step)) + " of its pre_tokenizer is not one that is supported");
    if (!split->empty()) splits.push_back(*split);
    bytes = bytes || type_of(*step) == "ByteLevel";
  }
  if (!bytes) return unsupported("its pre_tokenizer has no step \"ByteLevel\", and its model no byte_fallback");
  const auto decoders = steps_of(root_, "decoder", "decoders");
  if (decoders.size() != 1 || type_of(*decoders[0]) != "ByteLevel") return unsupported("its decoder is not \"ByteLevel\"");
  const text::PrePattern* pattern = text::find_pre_pattern(splits, nfc, flag_of(*model_, "ignore_merges"));
  if (!pattern) return unsupported("its pre_tokenizer is none of those that are supported: " + text::pre_pattern_names());
  v_.pre = pattern->name;
  return {};
}

/// BPE of characters, spaces written as U+2581; characters that are no token become the tokens of their bytes.
Status Reader::read_characters() {
  bool replaces = false;
  for (const Json* step : steps_of(root_, "normalizer", "normalizers")) {
    const Json* pattern = step->find("pattern");
    const bool is_replace =
        type_of(*step) == "Replace" && pattern && string_of(*pattern, "String") == " " && string_of(*step, "content") == kSpace;
    const bool is_prepend = type_of(*step) == "Prepend" && string_of(*step, "prepend") == kSpace && !replaces;
    if (!is_replace && !is_prepend)
      return unsupported("the step " + gguf::quote(type_of(*step)) + " of its normalizer is not one that is supported");
    replaces = replaces || is_replace;
    v_.space_prefix = v_.space_prefix || is_prepend;
  }
  for (const Json* step : steps_of(root_, "pre_tokenizer", "pretokenizers")) {
    const Json* pattern = step->find("pattern");
    // by spaces, of which the normalizer has left none
    const bool does_nothing = replaces && type_of(*step) == "Split" && pattern && string_of(*pattern, "String") == " ";
    const bool replaces_too = type_of(*step) == "Metaspace" && string_of(*step, "replacement") == kSpace &&
                              string_of(*step, "prepend_scheme") == "never" && !flag_of(*step, "split", true);
    if (!does_nothing && !replaces_too)
      return unsupported("the step " + gguf::quote(type_of(*step)) + " of its pre_tokenizer is not one that is supported");
    replaces = true;
  }
  if (!replaces) return unsupported("it does not write spaces as U+2581");
  if (flag_of(*model_, "ignore_merges")) return unsupported("ignore_merges is not supported with byte_fallback");
  for (const Json* token : added_)
    if (flag_of(*token, "normalized", true) && v_.space_prefix)
      return unsupported("added token " + gguf::quote(string_of(*token, "content")) + " is normalized, which is not supported");

  const Json::Object& vocabulary = *model_->find("vocab")->object();
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::vector<std::string> bytes;
  for (std::size_t byte = 0; byte < 256; ++byte)
    bytes.push_back(std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">");
  std::size_t n_bytes = 0;
  for (std::size_t i = 0; i < vocabulary.keys.size(); ++i) {
    if (vocabulary.keys[i].size() != bytes[0].size() || !std::binary_search(bytes.begin(), bytes.end(), vocabulary.keys[i]))
      continue;
    v_.types[static_cast<std::size_t>(*vocabulary.values[i].integer())] = static_cast<int>(TokenType::byte);
    ++n_bytes;
  }
  if (n_bytes != bytes.size()) return unsupported("byte_fallback, but only " + std::to_string(n_bytes) + " tokens of bytes");
  if (const auto unknown = v_.find(string_of(*model_, "unk_token")))
    v_.types[static_cast<std::size_t>(*unknown)] = static_cast<int>(TokenType::unknown);
  for (std::size_t i = 0; i < v_.tokens.size(); ++i)
    // looked for in texts that have no such character, but made by merging
    if (v_.types[i] == static_cast<int>(TokenType::user_defined) && v_.tokens[i].find(kSpace) != std::string::npos)
      v_.types[i] = static_cast<int>(TokenType::normal);
  return {};
}

/// The token that the post-processor puts first.
void Reader::read_start() {
  for (const Json* step : steps_of(root_, "post_processor", "processors")) {
    const Json* single = step->find("single");
    if (type_of(*step) != "TemplateProcessing" || !single || !single->array() || single->array()->empty()) continue;
    const Json* special = single->array()->front().find("SpecialToken");
    v_.first = special ? std::string(string_of(*special, "id")) : std::string();
  }
}

} // namespace

void translate_tokenizer(const TokenizerFiles& files, Translation& t) {
  if (files.tokenizer.is_null() && files.sentencepiece.empty()) return;
  const auto vocabulary =
      files.tokenizer.is_null() ? read_sentencepiece(files, t.n_embedded()) : Reader(files, t.n_embedded()).read();
  if (vocabulary) set_vocabulary(*vocabulary, files, t);
  else if (vocabulary.error().code == ErrorCode::unsupported) t.set(text::kProblemKey, vocabulary.error().message);
  else t.fail(ErrorCode::bad_file, vocabulary.error().message);
}

} // namespace mote::hf

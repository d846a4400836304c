#include "lib/hf/tokenizer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "lib/gguf/format.h"
#include "lib/text/pre_tokenizer.h"
#include "lib/text/tokenizer.h"

namespace mote::hf {

namespace {

using text::TokenType;

constexpr std::string_view kSpace = "\u2581"; // how SentencePiece writes a space

Error unsupported(std::string what) { return {ErrorCode::unsupported, "tokenizer.json: " + std::move(what)}; }
Error bad(std::string what) { return {ErrorCode::bad_file, "tokenizer.json: " + std::move(what)}; }

std::string_view string_of(const Json& object, std::string_view key) {
  const Json* found = object.find(key);
  return found && found->string() ? std::string_view(*found->string()) : std::string_view();
}
bool flag_of(const Json& object, std::string_view key, bool fallback = false) {
  const Json* found = object.find(key);
  return found && found->boolean() ? *found->boolean() : fallback;
}
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
  Reader(const TokenizerFiles& files, Translation& t) : files_(files), root_(files.tokenizer), t_(t) {}

  Status read() {
    const Json* model = root_.find("model");
    if (!model || !model->object()) return bad("model is missing or no object");
    model_ = model;
    for (const auto step :
         {&Reader::check_model, &Reader::read_vocabulary, &Reader::read_added, &Reader::read_merges, &Reader::read_kind})
      if (Status status = (this->*step)(); !status) return status;
    set_keys();
    set_special();
    return {};
  }

 private:
  Status check_model();
  Status read_vocabulary();
  Status read_added();
  Status read_merges();
  Status read_kind();
  Status read_byte_level();
  Status read_characters();
  void set_keys();
  void set_special();
  std::optional<int> find(std::string_view text) const;
  std::optional<int> special_id(std::string_view name) const;
  bool starts_with_bos(int bos) const;

  const TokenizerFiles& files_;
  const Json& root_;
  Translation& t_;
  const Json* model_ = nullptr;
  std::vector<std::string> tokens_; // by id
  std::vector<int> types_;
  std::vector<std::string> merges_;
  std::vector<const Json*> added_;
  bool characters_ = false; // not bytes
  bool space_prefix_ = false;
  std::string pre_;
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
  const std::int64_t n_rows = t_.n_embedded();
  tokens_.resize(static_cast<std::size_t>(n_rows)); // the converter's length: engines want a token for each row
  types_.assign(tokens_.size(), static_cast<int>(TokenType::unused));
  for (std::size_t i = 0; i < entries->keys.size(); ++i) {
    const std::int64_t* id = entries->values[i].integer();
    if (!id || *id < 0)
      return bad("model.vocab: token " + gguf::quote(entries->keys[i]) + ": its id is " + entries->values[i].describe());
    if (*id >= n_rows)
      return unsupported("token " + std::to_string(*id) + " has no row in the embedding of " + std::to_string(n_rows));
    const auto at = static_cast<std::size_t>(*id);
    if (types_[at] != static_cast<int>(TokenType::unused))
      return bad("model.vocab: two tokens have the id " + std::to_string(*id));
    tokens_[at] = entries->keys[i];
    types_[at] = static_cast<int>(TokenType::normal);
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
    if (*id->integer() >= std::ssize(tokens_))
      return unsupported("token " + id->describe() + " has no row in the embedding of " + std::to_string(tokens_.size()));
    for (const char* flag : {"lstrip", "rstrip", "single_word"})
      if (flag_of(token, flag))
        return unsupported("added token " + gguf::quote(content) + " has " + flag + ", which is not supported");
    const auto at = static_cast<std::size_t>(*id->integer());
    tokens_[at] = content;
    types_[at] = static_cast<int>(flag_of(token, "special") ? TokenType::control : TokenType::user_defined);
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
    merges_.push_back(two ? *(*pair)[0].string() + " " + *(*pair)[1].string() : *merge.string());
  }
  return {};
}

Status Reader::read_kind() {
  characters_ = flag_of(*model_, "byte_fallback");
  return characters_ ? read_characters() : read_byte_level();
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
  pre_ = pattern->name;
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
    space_prefix_ = space_prefix_ || is_prepend;
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
    if (flag_of(*token, "normalized", true) && space_prefix_)
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
    types_[static_cast<std::size_t>(*vocabulary.values[i].integer())] = static_cast<int>(TokenType::byte);
    ++n_bytes;
  }
  if (n_bytes != bytes.size()) return unsupported("byte_fallback, but only " + std::to_string(n_bytes) + " tokens of bytes");
  if (const auto unknown = find(string_of(*model_, "unk_token")))
    types_[static_cast<std::size_t>(*unknown)] = static_cast<int>(TokenType::unknown);
  for (std::size_t i = 0; i < tokens_.size(); ++i)
    // looked for in texts that have no such character, but made by merging
    if (types_[i] == static_cast<int>(TokenType::user_defined) && tokens_[i].find(kSpace) != std::string::npos)
      types_[i] = static_cast<int>(TokenType::normal);
  return {};
}

void Reader::set_keys() {
  for (std::size_t i = 0; i < tokens_.size(); ++i)
    if (tokens_[i].empty()) tokens_[i] = "[PAD" + std::to_string(i) + "]";
  t_.set("tokenizer.ggml.model", characters_ ? "llama" : "gpt2");
  t_.set("tokenizer.ggml.tokens", tokens_);
  t_.set("tokenizer.ggml.token_type", types_);
  t_.set("tokenizer.ggml.merges", merges_);
  if (!characters_) {
    t_.set("tokenizer.ggml.pre", pre_);
    return;
  }
  t_.set("tokenizer.ggml.add_space_prefix", space_prefix_);
  // in the order in which merges make them, the rest behind
  std::vector<std::pair<std::string_view, std::size_t>> ids;
  for (std::size_t i = 0; i < tokens_.size(); ++i) ids.emplace_back(tokens_[i], i);
  std::sort(ids.begin(), ids.end());
  std::vector<float> scores(tokens_.size(), -static_cast<float>(merges_.size()));
  for (std::size_t rank = merges_.size(); rank-- > 0;) {
    std::string both = merges_[rank];
    both.erase(both.find(' ') == std::string::npos ? 0 : both.find(' '), 1);
    const auto it = std::lower_bound(ids.begin(), ids.end(), std::pair(std::string_view(both), std::size_t{0}));
    if (it != ids.end() && it->first == both) scores[it->second] = -static_cast<float>(rank);
  }
  t_.set("tokenizer.ggml.scores", scores);
}

std::optional<int> Reader::find(std::string_view text) const {
  const auto it = std::find(tokens_.begin(), tokens_.end(), text);
  if (text.empty() || it == tokens_.end()) return std::nullopt;
  return static_cast<int>(it - tokens_.begin());
}

/// "bos": the text in tokenizer_config.json, or the id in config.json, which may be a list.
std::optional<int> Reader::special_id(std::string_view name) const {
  const std::string key = std::string(name) + "_token";
  if (const Json* token = files_.tokenizer_config.find(key)) {
    if (const auto id = find(token->string() ? std::string_view(*token->string()) : string_of(*token, "content"))) return id;
  }
  const Json* ids = t_.config().find(key + "_id");
  if (ids && ids->array() && !ids->array()->empty()) ids = &ids->array()->front();
  if (!ids || !ids->integer() || *ids->integer() < 0 || *ids->integer() >= std::ssize(tokens_)) return std::nullopt;
  return static_cast<int>(*ids->integer());
}

/// What the post-processor says, or else tokenizer_config.json.
bool Reader::starts_with_bos(int bos) const {
  for (const Json* step : steps_of(root_, "post_processor", "processors")) {
    const Json* single = step->find("single");
    if (type_of(*step) != "TemplateProcessing" || !single || !single->array() || single->array()->empty()) continue;
    const Json* special = single->array()->front().find("SpecialToken");
    return special && string_of(*special, "id") == tokens_[static_cast<std::size_t>(bos)];
  }
  return flag_of(files_.tokenizer_config, "add_bos_token");
}

void Reader::set_special() {
  const auto bos = special_id("bos"), eos = special_id("eos");
  if (bos) t_.set("tokenizer.ggml.bos_token_id", *bos);
  if (eos) t_.set("tokenizer.ggml.eos_token_id", *eos);
  t_.set("tokenizer.ggml.add_bos_token", bos && starts_with_bos(*bos));
  if (const auto unknown = find(string_of(*model_, "unk_token"))) t_.set("tokenizer.ggml.unknown_token_id", *unknown);
  if (const Json* template_text = files_.tokenizer_config.find("chat_template"); template_text && template_text->string())
    t_.set("tokenizer.chat_template", *template_text->string());
  // a second end, that of a turn
  const Json* ends = files_.generation_config.find("eos_token_id");
  if (!ends || !ends->array()) return;
  for (const Json& end : *ends->array()) {
    if (!end.integer() || *end.integer() < 0 || *end.integer() >= std::ssize(tokens_) || (eos && *end.integer() == *eos))
      continue;
    return t_.set("tokenizer.ggml.eot_token_id", static_cast<int>(*end.integer()));
  }
}

} // namespace

void translate_tokenizer(const TokenizerFiles& files, Translation& t) {
  if (files.tokenizer.is_null()) return;
  const Status status = Reader(files, t).read();
  if (status) return;
  if (status.error().code == ErrorCode::unsupported) t.set(text::kProblemKey, status.error().message);
  else t.fail(ErrorCode::bad_file, status.error().message);
}

} // namespace mote::hf

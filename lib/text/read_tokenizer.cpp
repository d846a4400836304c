#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "lib/gguf/file.h"
#include "lib/gguf/format.h"
#include "lib/text/pre_tokenizer.h"
#include "lib/text/tokenizer.h"

namespace mote::text {
namespace {

constexpr std::string_view kModel = "tokenizer.ggml.model", kPre = "tokenizer.ggml.pre";

/// Fills values from keys; remembers the first error.
class Keys {
 public:
  explicit Keys(const gguf::File& file) : file_(file) {}

  const Status& status() const { return status_; }
  /// Leave value as it is when the key is missing.
  void read(std::string_view key, std::int64_t& value) {
    if (file_.has(key)) keep(file_.get_int(key, 0, std::numeric_limits<std::int64_t>::max()), value);
  }
  void read(std::string_view key, bool& value) {
    if (file_.has(key)) keep(file_.get_bool(key), value);
  }
  void require(std::string_view key, std::vector<std::string>& values) {
    std::vector<std::string_view> views;
    keep(file_.get_strings(key), views);
    values.assign(views.begin(), views.end());
  }
  void require(std::string_view key, std::vector<std::int64_t>& values) { keep(file_.get_ints(key), values); }
  void require(std::string_view key, std::vector<float>& values) { keep(file_.get_floats(key), values); }

 private:
  template <class T>
  void keep(Result<T> result, T& value) {
    if (result) {
      value = std::move(*result);
    } else if (status_) {
      status_ = std::move(result).error();
    }
  }
  const gguf::File& file_;
  Status status_;
};

/// The file's pre-tokenizer. Files that name none, or "default", are older than the key; some families had only one then.
Result<std::string> read_pre(const gguf::File& file) {
  std::string_view name = "default";
  if (file.has(kPre)) {
    auto found = file.get_string(kPre);
    if (!found) return std::move(found).error();
    name = *found;
  }
  if (name != "default") return std::string(name);
  constexpr std::string_view kArchitecture = "general.architecture";
  std::string_view architecture;
  if (file.has(kArchitecture)) {
    auto found = file.get_string(kArchitecture);
    if (!found) return std::move(found).error();
    architecture = *found;
  }
  if (const PrePattern* pattern = find_pre_pattern_of(architecture)) return std::string(pattern->name);
  return Error{ErrorCode::unsupported, file.path() + ": key \"" + std::string(kPre) + "\": " + (file.has(kPre) ? "\"default\"" : "missing") +
                                           ", and the architecture " + gguf::quote(architecture) +
                                           " does not say which pre-tokenizer is meant; expected one of: " + pre_pattern_names()};
}

/// Normalizations that SentencePiece vocabularies of other model types come with; those of type "llama" change nothing but spaces.
Status refuse_normalization(const gguf::File& file) {
  constexpr std::string_view kCharsMap = "tokenizer.ggml.precompiled_charsmap", kTrim = "tokenizer.ggml.remove_extra_whitespaces";
  bool trims = false;
  if (file.has(kTrim)) {
    auto found = file.get_bool(kTrim);
    if (!found) return std::move(found).error();
    trims = *found;
  }
  if (!trims && !file.has(kCharsMap)) return {};
  return Error{ErrorCode::unsupported,
               file.path() + ": key \"" + std::string(trims ? kTrim : kCharsMap) + "\": this normalization of the text is not supported"};
}

} // namespace

bool has_tokenizer(const gguf::File& file) {
  if (file.has(kProblemKey)) return true;
  if (!file.has(kModel)) return false;
  const auto model = file.get_string(kModel);
  return !model || *model != "none"; // what converters write for a model without text
}

Result<Tokenizer> read_tokenizer(const gguf::File& file) {
  if (const auto problem = file.get_string(kProblemKey)) return Error{ErrorCode::unsupported, file.path() + ": " + std::string(*problem)};
  auto model = file.get_string(kModel);
  if (!model) return std::move(model).error();
  Vocabulary v;
  v.source = file.path();
  if (*model == "gpt2") {
    v.kind = VocabularyKind::byte_bpe;
  } else if (*model != "llama") {
    return Error{ErrorCode::unsupported, file.path() + ": key \"" + std::string(kModel) + "\": unknown tokenizer " + gguf::quote(*model) +
                                             ", supported: gpt2, llama"};
  }
  const bool bpe = v.kind == VocabularyKind::byte_bpe;

  Keys keys(file);
  keys.require("tokenizer.ggml.tokens", v.tokens);
  if (!bpe || file.has("tokenizer.ggml.token_type")) keys.require("tokenizer.ggml.token_type", v.types);
  constexpr std::string_view kMerges = "tokenizer.ggml.merges";
  if (bpe || file.has(kMerges)) keys.require(kMerges, v.merges);
  if (bpe) {
    auto pre = read_pre(file);
    if (!pre) return std::move(pre).error();
    v.pre = std::move(*pre);
  } else {
    keys.require("tokenizer.ggml.scores", v.scores);
    if (Status status = refuse_normalization(file); !status) return std::move(status).error();
    v.adds_space_prefix = true;
    keys.read("tokenizer.ggml.add_space_prefix", v.adds_space_prefix);
  }
  keys.read("tokenizer.ggml.bos_token_id", v.bos);
  keys.read("tokenizer.ggml.eos_token_id", v.eos);
  keys.read("tokenizer.ggml.eot_token_id", v.eot);
  keys.read("tokenizer.ggml.unknown_token_id", v.unknown);
  const PrePattern* pre = find_pre_pattern(v.pre);
  v.adds_bos = v.bos >= 0 && (!bpe || (pre != nullptr && pre->adds_bos));
  keys.read("tokenizer.ggml.add_bos_token", v.adds_bos);
  if (!keys.status()) return keys.status().error();
  return make_tokenizer(v);
}

} // namespace mote::text

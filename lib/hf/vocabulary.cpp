#include "lib/hf/vocabulary.h"

#include <algorithm>
#include <utility>

namespace mote::hf {

namespace {

/// "bos": the text in tokenizer_config.json, or the id in config.json, which may be a list.
std::optional<int> special_id(const FoundVocabulary& v, const TokenizerFiles& files, const Config& config,
                              std::string_view name) {
  const std::string key = std::string(name) + "_token";
  if (const Json* token = files.tokenizer_config.find(key))
    if (const auto id = v.find(token->string() ? std::string_view(*token->string()) : string_of(*token, "content"))) return id;
  const Json* ids = config.find(key + "_id");
  if (ids && ids->array() && !ids->array()->empty()) ids = &ids->array()->front();
  if (!ids || !ids->integer() || *ids->integer() < 0 || *ids->integer() >= std::ssize(v.tokens)) return std::nullopt;
  return static_cast<int>(*ids->integer());
}

/// An end of generation beside eos, such as that of a turn.
std::optional<int> second_end(const FoundVocabulary& v, const TokenizerFiles& files, std::optional<int> eos) {
  const Json* ends = files.generation_config.find("eos_token_id");
  if (!ends || !ends->array()) return std::nullopt;
  for (const Json& end : *ends->array())
    if (end.integer() && *end.integer() >= 0 && *end.integer() < std::ssize(v.tokens) && (!eos || *end.integer() != *eos))
      return static_cast<int>(*end.integer());
  return std::nullopt;
}

/// In the order in which merges make the tokens, the rest behind.
std::vector<float> scores_of_merges(const FoundVocabulary& v) {
  std::vector<std::pair<std::string_view, std::size_t>> ids;
  for (std::size_t i = 0; i < v.tokens.size(); ++i) ids.emplace_back(v.tokens[i], i);
  std::sort(ids.begin(), ids.end());
  std::vector<float> scores(v.tokens.size(), -static_cast<float>(v.merges.size()));
  for (std::size_t rank = v.merges.size(); rank-- > 0;) {
    std::string both = v.merges[rank];
    std::erase(both, ' ');
    const auto it = std::lower_bound(ids.begin(), ids.end(), std::pair(std::string_view(both), std::size_t{0}));
    if (it != ids.end() && it->first == both) scores[it->second] = -static_cast<float>(rank);
  }
  return scores;
}

} // namespace

std::string_view string_of(const Json& object, std::string_view key) {
  const Json* found = object.find(key);
  return found && found->string() ? std::string_view(*found->string()) : std::string_view();
}

bool flag_of(const Json& object, std::string_view key, bool fallback) {
  const Json* found = object.find(key);
  return found && found->boolean() ? *found->boolean() : fallback;
}

void FoundVocabulary::resize(std::int64_t n) {
  tokens.resize(static_cast<std::size_t>(n));
  types.resize(tokens.size(), static_cast<int>(text::TokenType::unused));
}

std::optional<int> FoundVocabulary::find(std::string_view text) const {
  const auto it = std::find(tokens.begin(), tokens.end(), text);
  if (text.empty() || it == tokens.end()) return std::nullopt;
  return static_cast<int>(it - tokens.begin());
}

void set_vocabulary(const FoundVocabulary& v, const TokenizerFiles& files, Translation& t) {
  std::vector<std::string> tokens = v.tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i].empty()) tokens[i] = "[PAD" + std::to_string(i) + "]";
  t.set("tokenizer.ggml.model", v.characters ? "llama" : "gpt2");
  t.set("tokenizer.ggml.tokens", tokens);
  t.set("tokenizer.ggml.token_type", v.types);
  if (!v.merges.empty() || !v.characters) t.set("tokenizer.ggml.merges", v.merges);
  if (v.characters) {
    t.set("tokenizer.ggml.scores", v.scores.empty() ? scores_of_merges(v) : v.scores);
    t.set("tokenizer.ggml.add_space_prefix", v.space_prefix);
  } else {
    t.set("tokenizer.ggml.pre", v.pre);
  }

  const auto or_own = [&](std::string_view name, std::optional<int> own) {
    const auto id = special_id(v, files, t.config(), name);
    return id ? id : own;
  };
  const auto bos = or_own("bos", v.bos), eos = or_own("eos", v.eos), eot = second_end(v, files, eos);
  const std::pair<std::string_view, std::optional<int>> ids[] = {
      {"bos_token_id", bos}, {"eos_token_id", eos}, {"eot_token_id", eot}, {"unknown_token_id", v.unknown}};
  for (const auto& [key, id] : ids)
    if (id) t.set("tokenizer.ggml." + std::string(key), *id);
  const bool starts = v.first ? bos && *v.first == v.tokens[static_cast<std::size_t>(*bos)]
                              : flag_of(files.tokenizer_config, "add_bos_token", v.adds_bos);
  t.set("tokenizer.ggml.add_bos_token", bos.has_value() && starts);
  if (const auto chat = string_of(files.tokenizer_config, "chat_template"); !chat.empty()) t.set("tokenizer.chat_template", chat);
}

} // namespace mote::hf

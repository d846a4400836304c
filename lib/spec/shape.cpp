#include "lib/spec/shape.h"

#include <algorithm>
#include <charconv>

namespace mote::spec {

namespace {

constexpr std::string_view kKeys[] = {"base",
                                      "family",
                                      "name",
                                      "layers",
                                      "d_model",
                                      "d_ff",
                                      "heads",
                                      "kv_heads",
                                      "head_dim",
                                      "vocab",
                                      "ctx",
                                      "positions",
                                      "tied",
                                      "residual",
                                      "norm",
                                      "norm_eps",
                                      "norm_bias",
                                      "ffn",
                                      "activation",
                                      "ffn_bias",
                                      "qkv",
                                      "qkv_bias",
                                      "qk_norm",
                                      "qk_norm_scope",
                                      "output_bias",
                                      "head_bias",
                                      "rope_style",
                                      "rope_dims",
                                      "rope_base",
                                      "rope_scaling",
                                      "d_inner",
                                      "d_state",
                                      "dt_rank",
                                      "d_conv",
                                      "ssm_heads",
                                      "ssm_groups",
                                      "attention_layers",
                                      "rglru_blocks",
                                      "shared_blocks",
                                      "qkv_rank",
                                      "ffn_rank",
                                      "dense_layers",
                                      "experts",
                                      "experts_used",
                                      "router",
                                      "shared_d_ff",
                                      "shared_gate",
                                      "window",
                                      "full_every",
                                      "rope_base_local",
                                      "nope_every",
                                      "embedding_scale",
                                      "residual_scale",
                                      "attention_scale",
                                      "attention_softcap",
                                      "logit_scale",
                                      "logit_softcap",
                                      "placement",
                                      "d_embedding",
                                      "final_norm",
                                      "clamp",
                                      "repeat",
                                      "shared_ffn",
                                      "q_rank",
                                      "kv_rank",
                                      "v_dim",
                                      "dense_d_ff"};

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Takes what stands before the next separator off the front of the text.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

/// The whole text is one number.
template <class T> bool parse_number(std::string_view text, T& value) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

} // namespace

void ShapeValues::fail(std::string_view key, const std::string& expected) {
  if (!status_) return;
  const std::string_view* value = find(key);
  status_ = Error{ErrorCode::invalid_argument, "shape key \"" + std::string(key) +
                                                   "\": " + (value ? "found " + gguf::quote(*value) : std::string("missing")) +
                                                   ", expected " + expected};
}

void ShapeValues::parse(std::string_view text) {
  const auto refuse = [&](const std::string& message) {
    if (status_) status_ = Error{ErrorCode::invalid_argument, message};
  };
  if (trim(text).empty()) return refuse("the shape is empty, expected key=value,key=value");
  for (bool more = true; more && status_;) {
    more = text.find(',') != std::string_view::npos;
    std::string_view item = take_until(text, ',');
    if (item.find('=') == std::string_view::npos) return refuse("shape: found " + gguf::quote(item) + ", expected key=value");
    const std::string_view key = trim(take_until(item, '=')), value = trim(item);
    if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys))
      return refuse("unknown shape key " + gguf::quote(key) + "; the keys are " + join(kKeys));
    if (has(key)) return refuse("shape key \"" + std::string(key) + "\" is given twice");
    pairs_.push_back({key, value});
  }
}

void ShapeValues::inherit(const ShapeValues& base) {
  for (const Pair& pair : base.pairs_)
    if (!has(pair.key)) pairs_.push_back(pair);
}

const std::string_view* ShapeValues::find(std::string_view key) const {
  const auto at = std::find_if(pairs_.begin(), pairs_.end(), [&](const Pair& pair) { return pair.key == key; });
  return at == pairs_.end() ? nullptr : &at->value;
}

std::string_view ShapeValues::text(std::string_view key, std::string_view fallback) const {
  const std::string_view* value = find(key);
  return value ? *value : fallback;
}

int ShapeValues::integer(std::string_view key, int min, int max) {
  int value = min;
  if (!parse_number(text(key, ""), value) || value < min || value > max) {
    fail(key, "an integer from " + std::to_string(min) + " to " + std::to_string(max));
    return min;
  }
  return value;
}

template <class T> T ShapeValues::number_or(std::string_view key, T fallback, double min, double max) {
  if (!has(key)) return fallback;
  T value = fallback;
  if (!parse_number(text(key, ""), value) || !(value >= min && value <= max)) {
    fail(key, "a number from " + number(min) + " to " + number(max));
    return fallback;
  }
  return value;
}

double ShapeValues::real_or(std::string_view key, double fallback, double min, double max) {
  return number_or(key, fallback, min, max);
}
float ShapeValues::real_or(std::string_view key, float fallback, double min, double max) {
  return number_or(key, fallback, min, max);
}

std::vector<int> ShapeValues::integers(std::string_view key, int min, int max) {
  std::vector<int> list;
  std::string_view rest = text(key, "");
  for (bool more = true; more;) {
    more = rest.find(':') != std::string_view::npos;
    int value = min;
    if (!parse_number(take_until(rest, ':'), value) || value < min || value > max) {
      fail(key, "integers from " + std::to_string(min) + " to " + std::to_string(max) + ", with colons between them");
      value = min;
    }
    list.push_back(value);
  }
  return list;
}

std::vector<int> ShapeValues::per_layer(std::string_view key, std::size_t n, int min, int max) {
  if (text(key, "").find(':') == std::string_view::npos) return std::vector<int>(n, integer(key, min, max));
  std::vector<int> values = integers(key, min, max);
  if (values.size() < n) fail(key, "one number, or one for each of the " + std::to_string(n) + " layers");
  values.resize(n, min);
  return values;
}

bool ShapeValues::boolean_or(std::string_view key, bool fallback) {
  const std::string_view* value = find(key);
  if (!value) return fallback;
  if (*value == "1" || *value == "true") return true;
  if (*value == "0" || *value == "false") return false;
  fail(key, "0, 1, false or true");
  return fallback;
}

} // namespace mote::spec

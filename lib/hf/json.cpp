#include "lib/hf/json.h"

// Nothing of the parser throws when it tells a handler what it finds; its checks of itself must not end the process.
#define JSON_ASSERT(x) static_cast<void>(0)
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "lib/gguf/format.h"

namespace mote::hf {

namespace {

constexpr std::size_t kMaxDepth = 64;

/// Gets the parser's events and builds the tree.
class Builder {
 public:
  bool null() { return add({}); }
  bool boolean(bool value) { return add({value}); }
  bool number_integer(std::int64_t value) { return add({value}); }
  bool number_unsigned(std::uint64_t value) {
    if (std::in_range<std::int64_t>(value)) return add({static_cast<std::int64_t>(value)});
    return add({static_cast<double>(value)});
  }
  bool number_float(double value, const std::string&) { return add({value}); }
  bool string(std::string& value) { return add({std::move(value)}); }
  bool binary(std::vector<std::uint8_t>&) { return fail("a binary value"); }
  bool start_object(std::size_t) { return open({Json::Object()}); }
  bool start_array(std::size_t) { return open({Json::Array()}); }
  bool key(std::string& key) {
    std::get_if<Json::Object>(&open_.back()->value)->keys.push_back(std::move(key));
    return true;
  }
  bool end_array() { return close(); }
  bool end_object() {
    const Json::Object& object = *open_.back()->object();
    std::vector<std::string_view> keys(object.keys.begin(), object.keys.end());
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) return fail("the key " + gguf::quote(*twice) + " appears twice in an object");
    return close();
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception&) {
    return fail("is no JSON: syntax error at byte " + std::to_string(at));
  }

  Json root;
  std::string problem;

 private:
  bool fail(std::string what) {
    problem = std::move(what);
    return false;
  }
  /// Where the next value goes: the root, or the end of the innermost container.
  Json& place() {
    if (open_.empty()) return root;
    if (auto* array = std::get_if<Json::Array>(&open_.back()->value)) return array->emplace_back();
    return std::get_if<Json::Object>(&open_.back()->value)->values.emplace_back();
  }
  bool add(Json value) {
    place() = std::move(value);
    return true;
  }
  bool open(Json container) {
    if (open_.size() == kMaxDepth) return fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    Json& here = place();
    here = std::move(container);
    open_.push_back(&here); // stays there: only the innermost container grows
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<Json*> open_;
};

/// Python writes numbers that JSON does not have: they become null, which is no number.
std::string without_python_numbers(std::string_view text) {
  std::string out(text);
  bool in_string = false;
  for (std::size_t at = 0; at < out.size(); ++at) {
    if (in_string && out[at] == '\\') ++at;
    else if (out[at] == '"') in_string = !in_string;
    if (in_string) continue;
    for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
      if (std::string_view(out).substr(at, word.size()) == word) out.replace(at, word.size(), "null");
  }
  return out;
}

} // namespace

const Json* Json::find(std::string_view key) const noexcept {
  const Object* members = object();
  if (!members) return nullptr;
  const auto it = std::find(members->keys.begin(), members->keys.end(), key);
  return it == members->keys.end() ? nullptr : &members->values[static_cast<std::size_t>(it - members->keys.begin())];
}

std::string Json::describe() const {
  if (const bool* b = boolean()) return *b ? "true" : "false";
  if (const std::int64_t* i = integer()) return std::to_string(*i);
  if (const double* d = real()) {
    char digits[32];
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, *d).ptr);
  }
  if (const std::string* s = string()) return gguf::quote(*s);
  if (const Array* a = array()) return "a list of " + std::to_string(a->size());
  if (const Object* o = object()) return "an object of " + std::to_string(o->keys.size());
  return "null";
}

Result<Json> parse_json(std::string_view text) {
  std::string rewritten;
  if (text.find("Infinity") != std::string_view::npos || text.find("NaN") != std::string_view::npos) {
    rewritten = without_python_numbers(text);
    text = rewritten;
  }
  Builder builder;
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  if (!builder.problem.empty()) return Error{ErrorCode::bad_file, std::move(builder.problem)};
  return std::move(builder.root);
}

} // namespace mote::hf

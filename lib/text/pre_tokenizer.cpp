#define PCRE2_CODE_UNIT_WIDTH 8
#include "lib/text/pre_tokenizer.h"

#include <pcre2.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "lib/text/utf8.h"

namespace mote::text {
namespace {

// White space as the tokenizers library has it, for use inside a class. PCRE2's \s has U+180E besides.
constexpr std::string_view kSpaces = R"(\t-\r\x20\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

/// Writes \s and \S out; \S must stand outside of classes.
std::string expand_spaces(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view escape = pattern.substr(i, 2);
    if (escape == "\\s" || escape == "\\S") {
      if (!in_class) out += escape == "\\s" ? "[" : "[^";
      out += kSpaces;
      if (!in_class) out += ']';
      ++i;
    } else if (pattern[i] == '\\') {
      out += escape;
      ++i;
    } else {
      if (pattern[i] == '[') in_class = true;
      if (pattern[i] == ']') in_class = false;
      out += pattern[i];
    }
  }
  return out;
}

Error out_of_memory() { return Error{ErrorCode::out_of_memory, "out of memory"}; }

struct Free {
  void operator()(pcre2_match_context* context) const noexcept { pcre2_match_context_free(context); }
  void operator()(pcre2_match_data* data) const noexcept { pcre2_match_data_free(data); }
};

/// What the matches of one split share.
struct Matching {
  std::unique_ptr<pcre2_match_context, Free> context;
  std::unique_ptr<pcre2_match_data, Free> data;

  bool has_memory() const noexcept { return context != nullptr && data != nullptr; }
};

/// Appends the pieces of text: matches of the pattern and what lies between them.
Status split_by(const pcre2_code* code, Matching& matching, std::string_view text, std::vector<std::string_view>& pieces) {
  // Steps that a match may take: enough for any that reads the text a few times over, far from quadratic in long texts.
  constexpr std::size_t kMaxSteps = 0x7FFFFFFF;
  pcre2_set_match_limit(matching.context.get(), static_cast<std::uint32_t>(std::min(kMaxSteps, 10'000 + 8 * text.size())));
  const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  std::size_t at = 0; // what lies before it is in pieces
  while (at < text.size()) {
    // The text has been validated once; to have it done for each match would be quadratic.
    const int rc = pcre2_match(code, subject, text.size(), at, PCRE2_NO_UTF_CHECK, matching.data.get(), matching.context.get());
    if (rc == PCRE2_ERROR_NOMATCH) break;
    if (rc == PCRE2_ERROR_NOMEMORY) return out_of_memory();
    if (rc < 0) {
      return Error{ErrorCode::unsupported, "the text is too hard for the pre-tokenizer's pattern (PCRE2 error " + std::to_string(rc) + ")"};
    }
    const PCRE2_SIZE* match = pcre2_get_ovector_pointer(matching.data.get());
    if (match[1] <= match[0]) break; // no pattern here matches nothing
    if (match[0] > at) pieces.push_back(text.substr(at, match[0] - at));
    pieces.push_back(text.substr(match[0], match[1] - match[0]));
    at = match[1];
  }
  if (at < text.size()) pieces.push_back(text.substr(at));
  return {};
}

} // namespace

Result<PreTokenizer> PreTokenizer::create(std::span<const std::string_view> splits) {
  PreTokenizer pre;
  for (const std::string_view split : splits) {
    const std::string pattern = expand_spaces(split);
    int error = 0;
    PCRE2_SIZE where = 0;
    pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF | PCRE2_UCP, &error, &where, nullptr);
    if (code == nullptr) {
      return Error{ErrorCode::unsupported, "PCRE2 does not take the pre-tokenizer's pattern " + pattern + ": error " + std::to_string(error) +
                                               " at byte " + std::to_string(where)};
    }
    pre.codes_.emplace_back(code, [](pcre2_code* c) { pcre2_code_free(c); });
  }
  return pre;
}

Status PreTokenizer::split(std::string_view text, std::vector<std::string_view>& words) const {
  words.clear();
  if (text.empty()) return {};
  words.push_back(text);
  Matching matching{std::unique_ptr<pcre2_match_context, Free>(pcre2_match_context_create(nullptr)),
                    std::unique_ptr<pcre2_match_data, Free>(pcre2_match_data_create(1, nullptr))};
  if (!matching.has_memory()) return out_of_memory();
  std::vector<std::string_view> pieces;
  for (const auto& code : codes_) {
    pieces.clear();
    for (const std::string_view word : words) {
      const Status status = split_by(static_cast<const pcre2_code*>(code.get()), matching, word, pieces);
      if (!status) return status;
    }
    words.swap(pieces);
  }
  return {};
}

std::size_t PreTokenizer::memory_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const auto& code : codes_) {
    std::size_t size = 0;
    if (pcre2_pattern_info(static_cast<const pcre2_code*>(code.get()), PCRE2_INFO_SIZE, &size) == 0) bytes += size;
  }
  return bytes;
}

} // namespace mote::text

#include "lib/text/nfc.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "lib/text/utf8.h"

namespace mote::text {
namespace {

using Characters = std::vector<utf8proc_int32_t>;

/// text as characters that decompose no further.
Characters decompose(std::string_view text) {
  constexpr int kMost = 18; // of one character; canonical decompositions have at most 4
  Characters characters;
  characters.reserve(text.size());
  utf8proc_int32_t parts[kMost];
  int last_boundary_class = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = read_char(text.substr(at));
    const auto n = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c.code), parts, kMost,
                                           static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE), &last_boundary_class);
    characters.insert(characters.end(), parts, parts + std::clamp<utf8proc_ssize_t>(n, 0, kMost));
    at += c.size;
  }
  return characters;
}

/// Canonical order: the marks between two starters by their class, those of one class as they were. The library's own sorting
/// takes quadratic time on long runs of marks.
void sort_marks(Characters& characters) {
  const auto class_of = [](utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; };
  const auto is_starter = [&](utf8proc_int32_t c) { return class_of(c) == 0; };
  for (auto at = characters.begin(); at != characters.end();) {
    at = std::find_if_not(at, characters.end(), is_starter);
    const auto end = std::find_if(at, characters.end(), is_starter);
    std::stable_sort(at, end, [&](utf8proc_int32_t a, utf8proc_int32_t b) { return class_of(a) < class_of(b); });
    at = end;
  }
}

} // namespace

bool may_change_in_nfc(std::string_view text) noexcept {
  constexpr unsigned char kFirstLead = 0xCC; // of U+0300, the first character that NFC can change
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= kFirstLead; });
}

std::string to_nfc(std::string_view text) {
  Characters characters = decompose(text);
  sort_marks(characters);
  // U+11A7 composes with nothing, but the library (2.6) takes it for a trailing consonant: it must not see what stands before it
  constexpr utf8proc_int32_t kNoConsonant = 0x11A7;
  std::string out;
  out.reserve(text.size());
  for (auto at = characters.begin(); at != characters.end();) {
    const auto end = std::find(at + 1, characters.end(), kNoConsonant);
    const auto n = utf8proc_normalize_utf32(&*at, end - at, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    std::for_each(at, at + (n < 0 ? 0 : n), [&](utf8proc_int32_t c) { append_char(out, static_cast<char32_t>(c)); });
    at = end;
  }
  return out;
}

} // namespace mote::text

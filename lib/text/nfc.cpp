#include "lib/text/nfc.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "lib/text/nfc_tables.h"
#include "lib/text/utf8.h"

namespace mote::text {
namespace {

struct Character {
  char32_t code;
  std::uint8_t combining_class; // 0: a starter
};

// Hangul syllables are computed: (leading consonant, vowel) and (that, trailing consonant) are pairs like those of the table.
constexpr char32_t kSyllables = 0xAC00, kLeading = 0x1100, kVowels = 0x1161, kTrailing = 0x11A7; // kTrailing itself: none
constexpr char32_t kNumLeading = 19, kNumVowels = 21, kNumTrailing = 28, kNumSyllables = kNumLeading * kNumVowels * kNumTrailing;

template <class Range, std::size_t N>
const Range* find_range(const Range (&ranges)[N], char32_t code) noexcept {
  const Range* range = std::lower_bound(std::begin(ranges), std::end(ranges), code, [](const Range& r, char32_t c) { return r.last < c; });
  return range != std::end(ranges) && range->first <= code ? range : nullptr;
}

std::uint8_t combining_class(char32_t code) noexcept {
  const CombiningRange* range = find_range(kCombining, code);
  return range == nullptr ? std::uint8_t{0} : range->combining_class;
}

void decompose(char32_t code, std::vector<Character>& out) {
  if (code >= kSyllables && code < kSyllables + kNumSyllables) {
    const char32_t index = code - kSyllables;
    out.push_back({kLeading + index / (kNumVowels * kNumTrailing), 0});
    out.push_back({kVowels + index / kNumTrailing % kNumVowels, 0});
    if (index % kNumTrailing != 0) out.push_back({kTrailing + index % kNumTrailing, 0});
    return;
  }
  const Decomposition* d = std::lower_bound(std::begin(kDecompositions), std::end(kDecompositions), code,
                                            [](const Decomposition& e, char32_t c) { return e.code < c; });
  if (d == std::end(kDecompositions) || d->code != code) {
    out.push_back({code, combining_class(code)});
    return;
  }
  decompose(d->first, out); // the tables nest three deep at most
  if (d->second != 0) decompose(d->second, out);
}

/// 0: the two do not compose.
char32_t compose(char32_t first, char32_t second) noexcept {
  if (first - kLeading < kNumLeading && second - kVowels < kNumVowels) {
    return kSyllables + ((first - kLeading) * kNumVowels + (second - kVowels)) * kNumTrailing;
  }
  if (first - kSyllables < kNumSyllables && (first - kSyllables) % kNumTrailing == 0 && second - kTrailing - 1 < kNumTrailing - 1) {
    return first + (second - kTrailing);
  }
  const auto key = std::pair(first, second);
  const std::uint16_t* place =
      std::lower_bound(std::begin(kCompositions), std::end(kCompositions), key, [](std::uint16_t i, const std::pair<char32_t, char32_t>& k) {
        return std::pair(kDecompositions[i].first, kDecompositions[i].second) < k;
      });
  if (place == std::end(kCompositions)) return 0;
  const Decomposition& d = kDecompositions[*place];
  return d.first == first && d.second == second ? d.code : 0;
}

/// Canonical order: the marks between two starters by their class, those of one class as they were.
void sort_marks(std::vector<Character>& characters) {
  const auto is_starter = [](const Character& c) { return c.combining_class == 0; };
  for (auto at = characters.begin(); at != characters.end();) {
    at = std::find_if_not(at, characters.end(), is_starter);
    const auto end = std::find_if(at, characters.end(), is_starter);
    std::stable_sort(at, end, [](const Character& a, const Character& b) { return a.combining_class < b.combining_class; });
    at = end;
  }
}

/// Each character goes into the last starter before it if the two compose and no character between them blocks it: one of its
/// own class or of a higher one.
void compose_all(std::vector<Character>& characters) {
  std::size_t n_out = 0, starter = characters.size(); // that: none yet
  for (const Character c : characters) {
    const bool has_starter = starter < n_out;
    const bool adjacent = has_starter && starter + 1 == n_out;
    if (has_starter && (adjacent || (characters[n_out - 1].combining_class < c.combining_class))) {
      if (const char32_t composed = compose(characters[starter].code, c.code)) {
        characters[starter].code = composed;
        continue;
      }
    }
    if (c.combining_class == 0) starter = n_out;
    characters[n_out++] = c;
  }
  characters.resize(n_out);
}

} // namespace

bool may_change_in_nfc(std::string_view text) noexcept {
  constexpr unsigned char kFirstLead = 0xCC; // of U+0300, the first unsettled character
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < kFirstLead) { // ASCII, or a byte of a character below U+0300
      ++at;
      continue;
    }
    const Utf8Char c = read_char(text.substr(at));
    if (c.kind == Utf8::valid && find_range(kUnsettled, c.code) != nullptr) return true;
    at += c.size;
  }
  return false;
}

std::string to_nfc(std::string_view text) {
  std::vector<Character> characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = read_char(text.substr(at));
    decompose(c.code, characters);
    at += c.size;
  }
  sort_marks(characters);
  compose_all(characters);
  std::string out;
  out.reserve(text.size());
  for (const Character c : characters) append_char(out, c.code);
  return out;
}

} // namespace mote::text

#include "lib/text/literal_tokens.h"

#include <algorithm>
#include <utility>

namespace mote::text {

LiteralTokens::LiteralTokens(std::vector<Literal> literals) : literals_(std::move(literals)) {
  std::sort(literals_.begin(), literals_.end(),
            [](const Literal& a, const Literal& b) { return a.text != b.text ? a.text < b.text : a.token < b.token; });
  const auto same = [](const Literal& a, const Literal& b) { return a.text == b.text; };
  literals_.erase(std::unique(literals_.begin(), literals_.end(), same), literals_.end());
  for (const Literal& literal : literals_) ++first_byte_[static_cast<unsigned char>(literal.text[0]) + std::size_t{1}];
  for (std::size_t b = 0; b < 256; ++b) first_byte_[b + 1] += first_byte_[b];
}

LiteralTokens::Match LiteralTokens::find(std::string_view text, std::size_t from) const noexcept {
  if (literals_.empty()) return {text.size(), 0, -1};
  for (; from < text.size(); ++from) {
    const auto byte = static_cast<unsigned char>(text[from]);
    if (first_byte_[byte] == first_byte_[byte + std::size_t{1}]) continue;
    if (const Literal* literal = longest(text.substr(from))) return {from, literal->text.size(), literal->token};
  }
  return {text.size(), 0, -1};
}

const LiteralTokens::Literal* LiteralTokens::longest(std::string_view text) const noexcept {
  const auto byte = static_cast<unsigned char>(text[0]);
  const Literal* first = literals_.data() + first_byte_[byte];
  const Literal* last = literals_.data() + first_byte_[byte + std::size_t{1}]; // behind the last
  const Literal* found = nullptr;
  // first to last share their first depth bytes with the text; the one that ends there sorts before the others.
  for (std::size_t depth = 1;; ++depth) {
    if (first->text.size() == depth) found = first++;
    if (first == last || depth == text.size()) return found;
    const auto next = static_cast<unsigned char>(text[depth]);
    const auto at_depth = [depth](const Literal& literal) { return static_cast<unsigned char>(literal.text[depth]); };
    if (at_depth(*first) != next) first = std::lower_bound(first, last, next, [&](const Literal& l, unsigned char b) { return at_depth(l) < b; });
    if (first == last || at_depth(*first) != next) return found;
    if (at_depth(*(last - 1)) != next) last = std::upper_bound(first, last, next, [&](unsigned char b, const Literal& l) { return b < at_depth(l); });
  }
}

std::size_t LiteralTokens::memory_bytes() const noexcept {
  std::size_t bytes = literals_.capacity() * sizeof literals_[0];
  for (const Literal& literal : literals_) {
    if (literal.text.capacity() > std::string().capacity()) bytes += literal.text.capacity();
  }
  return bytes;
}

} // namespace mote::text

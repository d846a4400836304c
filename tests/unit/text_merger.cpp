#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "lib/text/hash_index.h"
#include "lib/text/literal_tokens.h"
#include "lib/text/merger.h"
#include "tests/catch.h"

using namespace mote::text;

namespace {

using Rules = std::map<std::pair<std::int32_t, std::int32_t>, Merge>;

/// What the definition says: look at all neighbours, merge the best pair, begin again.
std::vector<std::int32_t> merge_naively(std::vector<std::int32_t> tokens, const Rules& rules) {
  for (;;) {
    std::size_t best = tokens.size();
    Merge merge;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const auto rule = rules.find({tokens[i], tokens[i + 1]});
      if (rule == rules.end() || (best < tokens.size() && rule->second.priority >= merge.priority)) continue;
      best = i;
      merge = rule->second;
    }
    if (best == tokens.size()) return tokens;
    tokens[best] = merge.token;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

} // namespace

TEST_CASE("the merger does what the definition says") {
  std::mt19937 random(7);
  Merger merger;
  for (int round = 0; round < 300; ++round) {
    const std::int32_t n_first = 1 + static_cast<std::int32_t>(random() % 4);
    std::int32_t n_tokens = n_first;
    Rules rules;
    for (std::uint32_t i = 0; i < random() % 40; ++i) {
      const auto pick = [&] { return static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(n_tokens)); };
      const bool ranked = round % 2 == 0; // else several pairs share a priority
      if (rules.emplace(std::pair(pick(), pick()), Merge{n_tokens, ranked ? i : static_cast<std::uint32_t>(random() % 3)}).second) ++n_tokens;
    }
    std::vector<std::int32_t> text(random() % 60), merged;
    for (std::int32_t& t : text) t = static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(n_first));
    merger.clear();
    for (std::size_t i = 0; i < text.size(); ++i) merger.add(static_cast<std::uint32_t>(i), 1, text[i]);
    merger.run([&](const Symbol& a, const Symbol& b) {
      CHECK(a.begin + a.size == b.begin);
      const auto rule = rules.find({a.token, b.token});
      return rule == rules.end() ? Merge{} : rule->second;
    });
    std::uint32_t end = 0;
    merger.for_each([&](const Symbol& s) {
      CHECK(s.begin == end);
      end = s.begin + s.size;
      merged.push_back(s.token);
    });
    CHECK(end == text.size());
    CHECK(merged == merge_naively(text, rules));
  }
}

TEST_CASE("the hash index finds what is there, and nothing else") {
  std::vector<std::string> words;
  for (int i = 0; i < 5000; ++i) words.push_back(std::string(static_cast<std::size_t>(i % 40), 'a') + std::to_string(i));
  words[77].clear();
  HashIndex index;
  const auto hash = [&](std::size_t i, std::uint64_t seed) -> std::optional<std::uint64_t> {
    if (words[i].empty()) return std::nullopt;
    return hash_text(words[i], seed);
  };
  const auto equal = [&](std::size_t i, std::size_t j) { return words[i] == words[j]; };
  const auto find = [&](std::string_view word) { return index.find(hash_text(word, index.seed()), [&](std::size_t i) { return words[i] == word; }); };
  CHECK(find("a") == -1); // empty
  CHECK_FALSE(index.build(words.size(), hash, equal));
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 77) CHECK(find(words[i]) == static_cast<std::int32_t>(i));
  }
  CHECK(find("") == -1);
  CHECK(find("aa5") == -1);
  words[4000] = words[123];
  const auto twins = index.build(words.size(), hash, equal);
  REQUIRE(twins);
  CHECK(twins->first == 123);
  CHECK(twins->second == 4000);
}

TEST_CASE("the hash index takes another seed when its elements collide") {
  const std::size_t n = 3000;
  HashIndex index;
  const auto hash = [](std::size_t i, std::uint64_t seed) { return std::optional<std::uint64_t>(seed < 3 ? 42 : hash_number(i, seed)); };
  CHECK_FALSE(index.build(n, hash, [](std::size_t i, std::size_t j) { return i == j; }));
  CHECK(index.seed() == 3);
  for (std::size_t i = 0; i < n; ++i) CHECK(index.find(*hash(i, 3), [&](std::size_t j) { return i == j; }) == static_cast<std::int32_t>(i));
}

TEST_CASE("literal tokens: the leftmost, then the longest") {
  const LiteralTokens tokens({{"b", 0}, {"abc", 1}, {"ab", 2}, {"abcde", 3}, {"\xFF\xFE", 4}, {"abd", 5}, {"ab", 9}});
  const auto find = [&](std::string_view text, std::size_t from = 0) {
    const auto match = tokens.find(text, from);
    return std::vector<std::int64_t>{static_cast<std::int64_t>(match.begin), static_cast<std::int64_t>(match.size), match.token};
  };
  CHECK(find("xxab") == std::vector<std::int64_t>{2, 2, 2});
  CHECK(find("xabcd") == std::vector<std::int64_t>{1, 3, 1});
  CHECK(find("abcde") == std::vector<std::int64_t>{0, 5, 3});
  CHECK(find("abde") == std::vector<std::int64_t>{0, 3, 5});
  CHECK(find("ac b") == std::vector<std::int64_t>{3, 1, 0});
  CHECK(find("abab", 1) == std::vector<std::int64_t>{1, 1, 0});
  CHECK(find("\xFF\xFF\xFE") == std::vector<std::int64_t>{1, 2, 4});
  CHECK(find("a") == std::vector<std::int64_t>{1, 0, -1});
  CHECK(find("") == std::vector<std::int64_t>{0, 0, -1});
  CHECK(LiteralTokens().find("abc", 0).size == 0);
}

// Random vocabularies and texts: whatever they are, the answer is tokens of the vocabulary or an error.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/unit/text_vocabulary.h"

using namespace mote;
using namespace mote::test;

namespace {

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_()) % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  /// Bytes of every kind: ASCII, spaces, letters of many scripts, marks, broken UTF-8.
  std::string text(std::size_t max_pieces) {
    static const std::vector<std::string> kPieces = {
        "a",    "b",     "ab",   "e",      " ",        "  ",       "\n",        "\r\n", "\t",   "1",       "23",
        "'s",   "'LL",   "!",    "<",      ">",        "|",        "é",         "ß",    "я",    "中",      "文",
        "が",   "한",    "🦙",   "▁",      "\xC2\xA0", "\xC2\x85", "e\xCC\x81", "<s>",  "</s>", "<|end|>", "<0x41>",
        "\xFF", "\xC3",  "\x80", "\xE2\x82", "\xF4\x90\x80\x80", "か\xE3\x82\x99", "\xE1\x84\x80\xE1\x85\xA1", std::string(1, '\0')};
    std::string out;
    for (std::size_t n = below(max_pieces + 1); n > 0; --n) {
      if (one_in(6)) {
        out += static_cast<char>(static_cast<unsigned char>(below(256)));
      } else {
        out += kPieces[below(kPieces.size())];
      }
    }
    return out;
  }

 private:
  std::mt19937 engine_;
};

const char* const kPreNames[] = {"gpt-2", "llama-bpe", "qwen2", "smollm", "falcon", "deepseek-llm", "deepseek-coder"};

Vocabulary random_bpe(Random& random) {
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<std::string> parts;
  for (int byte = 0; byte < 256; ++byte) parts.emplace_back(1, static_cast<char>(byte));
  std::string seen = "\n";
  for (std::size_t n = random.below(200); n > 0; --n) {
    const std::string text = random.text(3), left = parts[random.below(parts.size())];
    std::string right = random.one_in(2) ? parts[random.below(parts.size())] : text.substr(0, 1);
    if (right.empty()) right = " ";
    const std::string key = "\n" + letters(left + right) + "\n";
    if (seen.find(key) != std::string::npos || std::find(parts.begin(), parts.end(), right) == parts.end()) continue;
    seen += key.substr(1);
    merges.emplace_back(left, right);
    parts.push_back(left + right);
  }
  auto v = bpe_vocabulary(kPreNames[random.below(std::size(kPreNames))], merges);
  if (random.one_in(2)) add_token(v, "<s>", TokenType::user_defined);
  return v;
}

Vocabulary random_spm(Random& random) {
  std::vector<std::string> pieces;
  for (std::size_t n = random.below(120); n > 0; --n) {
    std::string piece = random.text(4);
    for (std::size_t at; (at = piece.find(' ')) != std::string::npos;) piece.replace(at, 1, "▁");
    if (std::find(pieces.begin(), pieces.end(), piece) == pieces.end() && piece.substr(0, 1) != "<") pieces.push_back(piece);
  }
  auto v = spm_vocabulary(pieces, random.one_in(2));
  for (std::size_t i = v.tokens.size() - pieces.size(); i < v.tokens.size(); ++i) {
    v.scores[i] = static_cast<float>(random.below(20)) - 10.0f;
    if (random.one_in(10)) v.types[i] = static_cast<std::int64_t>(random.one_in(2) ? TokenType::user_defined : TokenType::unused);
  }
  v.adds_space_prefix = random.one_in(2);
  return v;
}

/// Changes something that a file could hold.
void damage(Vocabulary& v, Random& random) {
  const std::size_t i = random.below(v.tokens.size());
  const auto number = static_cast<std::int64_t>(random.below(400)) - 50;
  switch (random.below(10)) {
    case 0: v.types[i] = number; break;
    case 1: v.tokens[i] = random.text(3); break;
    case 2: v.tokens.pop_back(); break;
    case 3: v.tokens[i] = v.tokens[random.below(v.tokens.size())]; break;
    case 4: v.bos = number; break;
    case 5: v.unknown = number; break;
    case 6: v.merges.push_back(random.text(4)); break;
    case 7: v.types[i] = 1 + static_cast<std::int64_t>(random.below(6)); break;
    case 8: v.pre = random.text(1); break;
    default:
      if (!v.scores.empty()) v.scores[random.below(v.scores.size())] = random.one_in(2) ? std::nanf("") : -1e38f;
  }
}

void check_encode(const Tokenizer& t, const std::string& text, bool parse_special) {
  const auto ids = t.encode(text, {.bos = false, .parse_special = parse_special});
  if (!ids) FAIL(ids.error().message);
  TextStream stream(t);
  std::size_t n_text = 0;
  for (const std::int32_t id : *ids) {
    CHECK(id >= 0);
    CHECK(id < t.n_vocab());
    n_text += stream.push(id).size();
  }
  n_text += stream.finish().size();
  CHECK(n_text <= 3 * t.decode(*ids).size());
}

} // namespace

TEST_CASE("random vocabularies and texts") {
  Random random(2024);
  for (int round = 0; round < 400; ++round) {
    const auto v = round % 2 == 0 ? random_bpe(random) : random_spm(random);
    INFO("round " << round);
    const Tokenizer t = make(v);
    for (int i = 0; i < 5; ++i) check_encode(t, random.text(60), i % 2 == 0);
  }
}

TEST_CASE("random damage to vocabularies is an error or does no harm") {
  Random random(77);
  int n_refused = 0;
  for (int round = 0; round < 1500; ++round) {
    auto v = round % 2 == 0 ? bpe_vocabulary("gpt-2", {{"a", "b"}, {" ", "a"}, {"e", "\xCC"}}) : spm_vocabulary({"▁a", "a", "▁", "ab", "b"});
    for (std::size_t n = 1 + random.below(4); n > 0; --n) damage(v, random);
    INFO("round " << round);
    const auto t = text::make_tokenizer(v);
    if (t) {
      check_encode(*t, random.text(40), round % 3 == 0);
    } else {
      ++n_refused;
      CHECK(t.error().message.find("test.gguf: ") == 0);
    }
  }
  CHECK(n_refused > 500);
  CHECK(n_refused < 1500);
}

TEST_CASE("decode(encode(x)) is x for random bytes") {
  Random random(5);
  for (const char* pre : {"gpt-2", "llama-bpe", "smollm", "falcon", "deepseek-llm", "deepseek-coder"}) { // those without normalization
    const Tokenizer t = make(bpe_vocabulary(
        pre, {{"a", "b"}, {" ", "a"}, {" ", " "}, {"\xE4", "\xB8"}, {"\xE4\xB8", "\xAD"}, {"1", "2"}, {"\xF0", "\x9F"}, {"'", "s"}}));
    for (int i = 0; i < 200; ++i) {
      const std::string text = random.text(80);
      const auto ids = encode(t, text, {.bos = false, .parse_special = false});
      CHECK(t.decode(ids) == text);
    }
  }
  const Tokenizer spm = make(spm_vocabulary({"▁a", "ab", "▁▁", "é", "中", "▁"}));
  for (int i = 0; i < 200; ++i) {
    std::string text = random.text(80);
    while (text.find("▁") != std::string::npos) text.replace(text.find("▁"), 3, "_"); // the one text that SentencePiece cannot write
    CHECK(spm.decode(encode(spm, text)) == text);
  }
}

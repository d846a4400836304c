#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/unit/text_vocabulary.h"

using namespace mote;
using namespace mote::test;
using Strings = std::vector<std::string>;

TEST_CASE("sentencepiece: higher scores merge first, equal ones from the left") {
  auto v = spm_vocabulary({"▁ab", "bc", "ab", "▁a", "cd", "a", "b", "c", "d", "▁"});
  CHECK(tokens_of(make(v), "abcd") == Strings{"▁a", "bc", "d"}); // bc goes first, then nothing joins a and bc
  CHECK(tokens_of(make(v), "ab") == Strings{"▁ab"});              // ab, then ▁ab
  std::fill(v.scores.begin(), v.scores.end(), 0.0f);
  v.scores[v.scores.size() - 10] = -0.0f; // is as good as 0
  CHECK(tokens_of(make(v), "abcd") == Strings{"▁ab", "cd"});
  v.adds_space_prefix = false;
  CHECK(tokens_of(make(v), "bcdabab") == Strings{"bc", "d", "ab", "ab"});
  CHECK(tokens_of(make(v), " bcd a") == Strings{"▁", "bc", "d", "▁a"});
}

TEST_CASE("sentencepiece: a space in front, and decode takes it away") {
  const Tokenizer t = make(spm_vocabulary({"▁Hello", "▁▁", "Hello", "▁H", "ello", "el", "lo", "▁", "H", "e", "l", "o"}));
  CHECK(tokens_of(t, "") == Strings{});
  CHECK(tokens_of(t, " ") == Strings{"▁▁"});
  CHECK(encode(t, "ello", {.bos = true}).front() == t.bos());
  for (const std::string text : {"Hello", " Hello", "  Hello  lo", "\n", "é", "lo lo"}) {
    const auto ids = encode(t, text, {.bos = true});
    CHECK(t.decode(ids) == text);
  }
  CHECK(t.decode(std::vector<std::int32_t>{}).empty());
  auto v = spm_vocabulary({"▁Hello", "▁", "lo"});
  v.adds_space_prefix = false;
  const Tokenizer plain = make(v);
  CHECK(plain.decode(encode(plain, " lo lo")) == " lo lo");
}

TEST_CASE("sentencepiece: bytes and the unknown token stand for what has no token") {
  const Tokenizer bytes = make(spm_vocabulary({"▁", "a"}));
  CHECK(tokens_of(bytes, "aé\xFF") == Strings{"▁", "a", "<0xC3>", "<0xA9>", "<0xFF>"});
  const auto ids = encode(bytes, "\x80\xE2\x82 a\xF0\x9F\xA6\x99");
  CHECK(bytes.decode(ids) == "\x80\xE2\x82 a\xF0\x9F\xA6\x99");
  const Tokenizer unknown = make(spm_vocabulary({"▁", "a"}, false));
  CHECK(tokens_of(unknown, "aéé\xFF" "a é") == Strings{"▁", "a", "<unk>", "a", "▁", "<unk>"}); // one for all that stand together
  CHECK(unknown.decode(encode(unknown, "aéa")) == "aa");
}

TEST_CASE("sentencepiece: words are merged apart only where no token crosses") {
  // "a▁" joins over the space behind a: cutting there would lose it.
  const Tokenizer crossing = make(spm_vocabulary({"a▁b", "a▁", "▁", "a", "b"}));
  CHECK(tokens_of(crossing, "a b a ab") == Strings{"▁", "a▁b", "▁", "a▁", "a", "b"});
  const Tokenizer leading = make(spm_vocabulary({"▁b", "▁▁", "▁", "a", "b"}));
  CHECK(tokens_of(leading, "a b   b ") == Strings{"▁", "a", "▁b", "▁▁", "▁b", "▁"});
}

TEST_CASE("byte-level BPE: merges by rank within words") {
  const Tokenizer t = make(bpe_vocabulary("gpt-2", {{"l", "o"}, {" ", "lo"}, {"lo", "w"}, {"e", "r"}, {"\xC3", "\xA9"}, {" lo", "w"}}));
  CHECK(tokens_of(t, "low lower") == Strings{"low", "Ġlow", "er"});
  CHECK(tokens_of(t, "lo lo") == Strings{"lo", "Ġlo"});
  CHECK(tokens_of(t, "é\xA9\xC3\xA9\xC3") == Strings{"Ã©", "©", "Ã©", "Ã"});
  CHECK(encode(t, "\n") == std::vector<std::int32_t>{10});
  const std::string any("low\xFF\xFElower é\n\0x", 17);
  CHECK(t.decode(encode(t, any)) == any);
  CHECK(encode(t, "").empty());
}

TEST_CASE("byte-level BPE: the leftmost of equal pairs merges first") {
  const Tokenizer t = make(bpe_vocabulary("gpt-2", {{"a", "a"}, {"aa", "aa"}}));
  CHECK(tokens_of(t, "aaa") == Strings{"aa", "a"});
  CHECK(tokens_of(t, "aaaaaaa") == Strings{"aaaa", "aa", "a"});
}

TEST_CASE("byte-level BPE: whole words go before merges only where the model does so") {
  for (const char* pre : {"llama-bpe", "smaug-bpe"}) {
    auto v = bpe_vocabulary(pre, {{"c", "a"}});
    add_token(v, letters(" cat")); // no merge leads to it
    add_token(v, letters("\xFF\xFE"));
    const Tokenizer t = make(v);
    const bool whole = std::string(pre) == "llama-bpe";
    CHECK(tokens_of(t, "ca cat") == (whole ? Strings{"ca", "Ġcat"} : Strings{"ca", "Ġ", "ca", "t"}));
    CHECK(encode(t, "\xFF\xFE").size() == (whole ? 1 : 2));
  }
}

TEST_CASE("byte-level BPE: a byte without a token is left out, and a user-defined letter is no byte") {
  auto v = bpe_vocabulary("gpt-2", {{"!", "?"}});
  v.tokens[3] = "nothing";
  const std::string letter = letters("\xF8"); // "ø"
  v.types[0xF8] = static_cast<std::int64_t>(TokenType::user_defined);
  const Tokenizer t = make(v);
  CHECK(tokens_of(t, "!\x03?") == Strings{"!?"});
  CHECK(encode(t, "\x03").empty());
  CHECK(encode(t, "\xF8").empty());
  CHECK(tokens_of(t, "ø") == Strings{letter});
  CHECK(t.piece(0xF8) == "ø");
}

TEST_CASE("text is normalized to NFC where the model's tokenizer does so") {
  const std::string decomposed = "e\xCC\x81"; // e and U+0301
  const Tokenizer qwen = make(bpe_vocabulary("qwen2")), gpt = make(bpe_vocabulary("gpt-2"));
  CHECK(qwen.decode(encode(qwen, decomposed)) == "é");
  CHECK(gpt.decode(encode(gpt, decomposed)) == decomposed);
  CHECK(qwen.decode(encode(qwen, decomposed + "\xFF" + decomposed)) == "é\xFFé");
}

TEST_CASE("control tokens are recognised on request, user-defined ones always, the longest first") {
  auto v = bpe_vocabulary("gpt-2");
  add_token(v, "<tool>", TokenType::user_defined);
  add_token(v, "<tool>s", TokenType::user_defined);
  add_token(v, "<|end|>s", TokenType::control);
  const Tokenizer t = make(v);
  const EncodeOptions special{.bos = false, .parse_special = true};
  CHECK(tokens_of(t, "<tool><tool>sx") == Strings{"<tool>", "<tool>s", "x"});
  CHECK(tokens_of(t, "<|end|>").size() == 7);
  CHECK(tokens_of(t, "a<|end|><|end|>s<tool>", special) == Strings{"a", "<|end|>", "<|end|>s", "<tool>"});
  CHECK(tokens_of(t, "<|end|", special).size() == 6);
  CHECK(encode(t, "x", {.bos = true}) == std::vector<std::int32_t>{t.bos(), 'x'});
  for (const std::int32_t id : encode(t, "<|end|> </s> <tool>")) CHECK(id != t.eos());

  auto s = spm_vocabulary({"▁", "a", "▁a", "s", "<", ">", "<s", "<s>x"});
  add_token(s, "▁▁", TokenType::user_defined);
  const Tokenizer spm = make(s);
  CHECK(tokens_of(spm, "a  a") == Strings{"▁a", "▁▁", "▁a"}); // a space goes in front again, and the two are one token
  CHECK(tokens_of(spm, "<s>") == Strings{"▁", "<s", ">"});     // no merge makes a control token
  CHECK(tokens_of(spm, "<s>a</s>", special) == Strings{"<s>", "▁a", "</s>"});
}

TEST_CASE("tokens tell their text, their bytes and what they are") {
  auto v = spm_vocabulary({"▁a", "a"});
  v.eot = add_token(v, "<|im_end|>", TokenType::control);
  const std::int32_t end = add_token(v, "<|end|>", TokenType::control);
  add_token(v, "<|endoftext|>"); // of type normal: text
  add_token(v, "");              // a hole
  const Tokenizer t = make(v);
  CHECK(t.n_vocab() == static_cast<int>(v.tokens.size()));
  CHECK(t.text(0) == "<unk>");
  CHECK(t.piece(0).empty());
  CHECK(t.piece(3 + 0x41) == "A");
  CHECK(t.text(3 + 0x41) == "<0x41>");
  CHECK(t.piece(3 + 256) == " a");
  CHECK(t.text(3 + 256) == "▁a");
  for (const std::int32_t bad : {-1, t.n_vocab(), INT32_MAX, INT32_MIN}) {
    CHECK(t.text(bad).empty());
    CHECK(t.piece(bad).empty());
    CHECK_FALSE(t.is_end(bad));
  }
  CHECK(t.bos() == 1);
  CHECK(t.eos() == 2);
  CHECK(t.adds_bos());
  CHECK(t.is_end(2));
  CHECK(t.is_end(static_cast<std::int32_t>(v.eot)));
  CHECK(t.is_end(end));
  CHECK_FALSE(t.is_end(end + 1));
  CHECK_FALSE(t.is_end(1));
  CHECK(t.memory_bytes() > 1000);
  CHECK(t.memory_bytes() < 100'000);
}

TEST_CASE("a vocabulary may do without special tokens") {
  auto v = bpe_vocabulary("gpt-2");
  v.bos = v.eos = -1;
  const Tokenizer t = make(v);
  CHECK(t.bos() == -1);
  CHECK(t.eos() == -1);
  CHECK_FALSE(t.adds_bos());
  const auto ids = t.encode("a", {.bos = true});
  REQUIRE_FALSE(ids);
  CHECK(ids.error().code == ErrorCode::invalid_argument);
  v.types.clear(); // all normal
  CHECK(tokens_of(make(v), "<|end|>", {.bos = false, .parse_special = true}).size() == 7);
}

TEST_CASE("texts that are one long run take no more than their share of time") {
  const std::size_t size = 1 << 18;
  auto v = bpe_vocabulary("llama-bpe", {{"a", "a"}, {"aa", "aa"}, {" ", " "}, {"  ", "  "}, {"1", "1"}});
  const Tokenizer bpe = make(v);
  const Tokenizer spm = make(spm_vocabulary({"aaaa", "aa", "▁▁", "▁", "a", "▁▁▁▁"}));
  for (const char c : {'a', ' ', '1', '\n', '!', '\xFF'}) {
    const std::string text(size, c);
    CHECK(bpe.decode(encode(bpe, text)) == text);
    CHECK(spm.decode(encode(spm, text + "a")) == text + "a");
  }
}

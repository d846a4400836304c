#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "lib/text/pre_tokenizer.h"
#include "tests/catch.h"

using namespace mote::text;
using Strings = std::vector<std::string>;

namespace {

constexpr const char* kNames[] = {"deepseek-coder", "deepseek-llm", "deepseek-r1-qwen", "falcon", "gpt-2",     "llama-bpe", "llama-v3", "llama3",
                                  "mpt",            "olmo",         "phi-2",            "qwen2",  "refact",    "smaug-bpe", "smollm",   "starcoder"};

PreTokenizer pre_tokenizer(std::string_view name) {
  const PrePattern* pattern = find_pre_pattern(name);
  REQUIRE(pattern != nullptr);
  auto pre = PreTokenizer::create(pattern->splits);
  if (!pre) FAIL(pre.error().message);
  return *std::move(pre);
}

Strings words(const PreTokenizer& pre, std::string_view text) {
  std::vector<std::string_view> views;
  const auto status = pre.split(text, views);
  if (!status) FAIL(status.error().message);
  return Strings(views.begin(), views.end());
}

Strings words(std::string_view name, std::string_view text) { return words(pre_tokenizer(name), text); }

} // namespace

TEST_CASE("every pre-tokenizer that is named compiles and loses nothing") {
  std::string names;
  for (const char* name : kNames) {
    names += (names.empty() ? "" : ", ") + std::string(name);
    const PreTokenizer pre = pre_tokenizer(name);
    CHECK(pre.memory_bytes() > 0);
    for (const std::string text : {"", "I've 12345 words,\r\n\n  don't I?   ", "\t \n x",
                                   "\xE4\xB8\xAD\xE6\x96\x87 e\xCC\x81 \xF0\x9F\xA6\x99\xC2\x85\xC2\xA0x"}) {
      std::string together;
      for (const std::string& word : words(pre, text)) {
        CHECK_FALSE(word.empty());
        together += word;
      }
      CHECK(together == text);
    }
  }
  CHECK(pre_pattern_names() == names);
  CHECK(find_pre_pattern("") == nullptr);
  CHECK(find_pre_pattern("gpt-3") == nullptr);
  CHECK(find_pre_pattern_of("qwen2") == find_pre_pattern("qwen2"));
  CHECK(find_pre_pattern_of("llama") == nullptr);
}

TEST_CASE("pre-tokenizers cut where the models' own do") {
  const std::string text = "He'LL  see\n\n x12345 !!";
  CHECK(words("gpt-2", text) == Strings{"He", "'", "LL", " ", " see", "\n\n", " x", "12345", " !!"});
  CHECK(words("llama-bpe", text) == Strings{"He", "'LL", " ", " see", "\n\n", " x", "123", "45", " !!"});
  CHECK(words("qwen2", text) == Strings{"He", "'LL", " ", " see", "\n\n", " x", "1", "2", "3", "4", "5", " !!"});
  CHECK(words("smollm", text) == Strings{"He", "'", "LL", " ", " see", "\n\n", " x", "1", "2", "3", "4", "5", " !!"});
  CHECK(words("falcon", text) == Strings{"He", "'", "LL", " ", " see", "\n\n", " x", "123", "45", " ", "!!"});
  CHECK(words("deepseek-llm", text) == Strings{"He", "'", "LL", " ", " see", "\n", "\n", " x", "1", "2", "3", "4", "5", " !!"});
  CHECK(words("deepseek-coder", text) == Strings{"He", "'", "LL", " ", " see", "\n", "\n", " x", "1", "2", "3", "4", "5", " !!"});
  CHECK(words("deepseek-llm", "a  b   ") == Strings{"a", " ", " b", "   "});
}

TEST_CASE("white space is Unicode's") {
  CHECK(words("gpt-2", "a\xC2\x85\xE3\x80\x80") == Strings{"a", "\xC2\x85\xE3\x80\x80"});
  CHECK(words("gpt-2", "a\xE1\xA0\x8E\xE3\x80\x80") == Strings{"a", "\xE1\xA0\x8E", "\xE3\x80\x80"}); // U+180E was one once
}

TEST_CASE("no run of characters makes a pre-tokenizer slow") {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (const char* name : {"gpt-2", "llama-bpe", "qwen2", "smollm", "falcon", "deepseek-llm", "deepseek-coder"}) {
    const PreTokenizer pre = pre_tokenizer(name);
    for (const std::string_view unit :
         {" ", "\n", "\t", "a", "1", "!", "'", " \n", "\n ", " a", "\xC2\xA0", "\xE3\x80\x80", "\xCC\x81", "\xE4\xB8\xAD", "\r\n"}) {
      std::string text;
      while (text.size() < 40'000) text += unit;
      for (const char* end : {"", "a", "\n", "!"}) {
        std::vector<std::string_view> views;
        CHECK(pre.split(text + end, views));
      }
    }
  }
  // 420 texts take a second or two; quadratic time would be thousands of times that.
  CHECK(std::chrono::duration<double>(Clock::now() - start).count() < 100);
}

TEST_CASE("a pattern that needs more steps than the text is worth ends in an error") {
  const std::string_view nested[] = {R"((a+)+b)"};
  const auto pre = PreTokenizer::create(nested);
  REQUIRE(pre);
  std::vector<std::string_view> views;
  const auto status = pre->split(std::string(64, 'a') + "c b", views);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == mote::ErrorCode::unsupported);
  const std::string_view broken[] = {"(a"};
  REQUIRE_FALSE(PreTokenizer::create(broken));
}

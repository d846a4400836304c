// Vocabularies that contradict themselves. Several of these crashed or over-read a published loader; their ids stand with them.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "lib/gguf/file.h"
#include "lib/text/tokenizer.h"
#include "tests/catch.h"
#include "tests/gguf_builder.h"
#include "tests/temp_dir.h"
#include "tests/unit/text_vocabulary.h"

using namespace mote;
using namespace mote::test;

namespace {

/// The error must have this code and name the file and everything in parts.
void check_error(const Error& error, ErrorCode code, const std::vector<std::string>& parts) {
  INFO(error.message);
  CHECK(error.code == code);
  CHECK(error.message.find("test.gguf: ") != std::string::npos);
  CHECK(error.message.find('\n') == std::string::npos);
  for (const std::string& part : parts) {
    INFO(part);
    CHECK(error.message.find(part) != std::string::npos);
  }
}

void check_refused(const Vocabulary& v, ErrorCode code, const std::vector<std::string>& parts) {
  const auto tokenizer = text::make_tokenizer(v);
  REQUIRE_FALSE(tokenizer);
  check_error(tokenizer.error(), code, parts);
}

void check_bad(const Vocabulary& v, const std::vector<std::string>& parts) { check_refused(v, ErrorCode::bad_file, parts); }

/// A sound file of three tokens and the bytes, without the keys in leave_out.
GgufBuilder spm_file(const std::string& leave_out = "") {
  const Vocabulary v = spm_vocabulary({"▁a"});
  GgufBuilder file;
  if (leave_out != "model") file.string("tokenizer.ggml.model", "llama");
  if (leave_out != "tokens") file.strings("tokenizer.ggml.tokens", v.tokens);
  if (leave_out != "scores") file.numbers("tokenizer.ggml.scores", ValueType::f32, v.scores);
  if (leave_out != "token_type") file.numbers("tokenizer.ggml.token_type", ValueType::i32, std::vector<std::int32_t>(v.types.begin(), v.types.end()));
  return file;
}

GgufBuilder bpe_file(const std::string& leave_out = "") {
  const Vocabulary v = bpe_vocabulary("gpt-2", {{"a", "b"}});
  GgufBuilder file;
  file.string("tokenizer.ggml.model", "gpt2").strings("tokenizer.ggml.tokens", v.tokens);
  if (leave_out != "merges") file.strings("tokenizer.ggml.merges", v.merges);
  if (leave_out != "pre") file.string("tokenizer.ggml.pre", "gpt-2");
  return file;
}

Result<Tokenizer> read(const GgufBuilder& builder) {
  const TempDir dir;
  const auto file = gguf::File::open(dir.write("test.gguf", builder.build()));
  if (!file) FAIL(file.error().message);
  CHECK(text::has_tokenizer(*file) == file->has("tokenizer.ggml.model"));
  return text::read_tokenizer(*file);
}

void check_file_refused(const GgufBuilder& builder, ErrorCode code, const std::vector<std::string>& parts) {
  const auto tokenizer = read(builder);
  REQUIRE_FALSE(tokenizer);
  check_error(tokenizer.error(), code, parts);
}

} // namespace

TEST_CASE("vocabulary flaw: special token ids beyond the vocabulary, also of a tiny one (GHSA-g4cc-763q-h9h6)") {
  struct Case {
    std::int64_t Vocabulary::*id;
    const char* key;
  };
  for (const Case& c : {Case{&Vocabulary::bos, "bos_token_id"}, Case{&Vocabulary::eos, "eos_token_id"}, Case{&Vocabulary::eot, "eot_token_id"},
                        Case{&Vocabulary::unknown, "unknown_token_id"}}) {
    for (const std::int64_t id : {std::int64_t{260}, std::int64_t{0xFFFFFFFF}, std::int64_t{-2}, std::numeric_limits<std::int64_t>::max()}) {
      auto v = spm_vocabulary({"▁a"});
      v.*c.id = id;
      check_bad(v, {std::string("tokenizer.ggml.") + c.key, std::to_string(id), "260"});
    }
  }
  // Nothing is assumed of ids that the file does not give.
  Vocabulary tiny;
  tiny.source = "test.gguf";
  add_token(tiny, "?", TokenType::unknown);
  const auto t = text::make_tokenizer(tiny);
  REQUIRE(t);
  CHECK(t->bos() == -1);
  CHECK(encode(*t, "text") == std::vector<std::int32_t>{0});
}

TEST_CASE("vocabulary flaw: byte tokens that are no bytes (<0x-1>)") {
  for (const char* text : {"<0x-1>", "<0x1>", "<0x100>", "<0xGG>", "<0x 1>", "<0x+1>", "0x41", "<0X41>", "<0x41", "", "a"}) {
    auto v = spm_vocabulary({}, false);
    add_token(v, text, TokenType::byte);
    check_bad(v, {"tokenizer.ggml.tokens", "token 3", "byte"});
  }
  auto v = spm_vocabulary({}, false);
  add_token(v, "<0xab>", TokenType::byte);
  add_token(v, "<0xAB>", TokenType::byte);
  check_bad(v, {"tokenizer.ggml.tokens", "token 3", "token 4"});
}

TEST_CASE("vocabulary flaw: scores and token types of another type or length than the tokens") {
  auto v = spm_vocabulary({"▁a"});
  v.scores.pop_back();
  check_bad(v, {"tokenizer.ggml.scores", "260", "259"});
  v = spm_vocabulary({"▁a"});
  v.types.push_back(1);
  check_bad(v, {"tokenizer.ggml.token_type", "260", "261"});
  v = bpe_vocabulary("gpt-2");
  v.types.pop_back();
  check_bad(v, {"tokenizer.ggml.token_type", "257", "256"});

  // Elements declared as one byte must not be read as four.
  check_file_refused(spm_file("scores").array("tokenizer.ggml.scores", ValueType::u8, 260, std::string(260, '\1')), ErrorCode::bad_file,
                     {"tokenizer.ggml.scores", "u8"});
  check_file_refused(spm_file("scores").string("tokenizer.ggml.scores", "0"), ErrorCode::bad_file, {"tokenizer.ggml.scores", "string"});
  check_file_refused(spm_file("token_type").array("tokenizer.ggml.token_type", ValueType::boolean, 260, std::string(260, '\1')),
                     ErrorCode::bad_file, {"tokenizer.ggml.token_type", "bool"});
  CHECK(read(spm_file())); // what they are variations of
  std::vector<std::uint8_t> types;
  for (const std::int64_t type : spm_vocabulary({"▁a"}).types) types.push_back(static_cast<std::uint8_t>(type));
  CHECK(read(spm_file("token_type").numbers("tokenizer.ggml.token_type", ValueType::u8, types)));
}

TEST_CASE("vocabulary flaw: values that mean nothing") {
  for (const std::int64_t type : {std::int64_t{0}, std::int64_t{7}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
    auto v = spm_vocabulary({"▁a"});
    v.types[7] = type;
    check_bad(v, {"tokenizer.ggml.token_type", "token 7", std::to_string(type)});
  }
  auto v = spm_vocabulary({"▁a"});
  v.scores[259] = std::nanf("");
  check_bad(v, {"tokenizer.ggml.scores", "token 259"});
  v.scores[259] = -std::numeric_limits<float>::infinity();
  CHECK(text::make_tokenizer(v));
}

TEST_CASE("vocabulary flaw: no tokens, or two of the same text") {
  Vocabulary v;
  v.source = "test.gguf";
  check_bad(v, {"tokenizer.ggml.tokens", "none"});
  v.kind = VocabularyKind::byte_bpe;
  v.pre = "gpt-2";
  check_bad(v, {"tokenizer.ggml.tokens", "none"});
  v = bpe_vocabulary("gpt-2");
  add_token(v, "ab");
  add_token(v, "ab", TokenType::control);
  check_bad(v, {"tokenizer.ggml.tokens", "\"ab\"", "257", "258"});
  v.tokens[257] = v.tokens[258] = ""; // holes are not the same
  CHECK(text::make_tokenizer(v));
  check_file_refused(spm_file("tokens").strings("tokenizer.ggml.tokens", {}), ErrorCode::bad_file, {"tokenizer.ggml.tokens"});
}

TEST_CASE("vocabulary flaw: merges of what is no token") {
  const auto bad_merge = [](const std::string& merge, const std::string& what) {
    auto v = bpe_vocabulary("gpt-2", {{"a", "b"}});
    v.merges.push_back(merge);
    check_bad(v, {"tokenizer.ggml.merges", "merge 1", what});
  };
  bad_merge("ab", "space");
  bad_merge("", "space");
  bad_merge(" ", "space");
  bad_merge("a ", "space");
  bad_merge(" a", "space");
  bad_merge("a b c", "space");
  bad_merge("xx b", "\"xx\" is no token");
  bad_merge("a xx", "\"xx\" is no token");
  bad_merge("b a", "\"ba\" is no token");
  bad_merge(std::string(100'000, 'x') + " b", "is no token");
  auto v = bpe_vocabulary("gpt-2", {{"a", "b"}});
  v.merges.push_back("a b");
  check_bad(v, {"tokenizer.ggml.merges", "merge 0", "merge 1", "twice"});
}

TEST_CASE("vocabulary flaw: text that cannot be tokenized at all") {
  auto v = spm_vocabulary({"a"}, false);
  v.unknown = -1;
  v.types[0] = static_cast<std::int64_t>(TokenType::control);
  check_bad(v, {"tokenizer.ggml.tokens", "byte 0", "unknown"});
  v.types[0] = static_cast<std::int64_t>(TokenType::unknown); // found by its type
  CHECK(encode(make(v), "x") == std::vector<std::int32_t>{0});
  v = bpe_vocabulary("gpt-2");
  v.bos = -1;
  v.adds_bos = true;
  check_bad(v, {"tokenizer.ggml.add_bos_token", "bos_token_id"});
}

TEST_CASE("vocabulary flaw: very long tokens (CVE-2025-49847)") {
  auto v = spm_vocabulary({"▁", "a", "aa", std::string(1 << 20, 'a')});
  const Tokenizer t = make(v);
  CHECK(t.piece(262).size() == std::size_t{1} << 20);
  CHECK(encode(t, std::string(1 << 16, 'a')).size() == (1 << 15) + 1);
  add_token(v, std::string(257, '<'), TokenType::user_defined);
  check_refused(v, ErrorCode::unsupported, {"tokenizer.ggml.tokens", "token 263", "257", "256"});
}

TEST_CASE("an unknown pre-tokenizer or tokenizer is refused by name, with those that are supported") {
  check_refused(bpe_vocabulary("gpt-9"), ErrorCode::unsupported, {"tokenizer.ggml.pre", "\"gpt-9\"", "gpt-2", "llama-bpe", "qwen2"});
  check_refused(bpe_vocabulary(""), ErrorCode::unsupported, {"tokenizer.ggml.pre", "gpt-2"});
  for (const char* model : {"bert", "t5", "rwkv", "", "no\nmodel"}) {
    check_file_refused(spm_file("model").string("tokenizer.ggml.model", model), ErrorCode::unsupported,
                       {"tokenizer.ggml.model", "gpt2, llama"});
  }
  check_file_refused(spm_file("model").u32("tokenizer.ggml.model", 1), ErrorCode::bad_file, {"tokenizer.ggml.model"});
  check_file_refused(spm_file().boolean("tokenizer.ggml.remove_extra_whitespaces", true), ErrorCode::unsupported,
                     {"remove_extra_whitespaces"});
  check_file_refused(spm_file().array("tokenizer.ggml.precompiled_charsmap", ValueType::u8, 1, "x"), ErrorCode::unsupported,
                     {"precompiled_charsmap"});
}

TEST_CASE("a file without a pre-tokenizer is read where its architecture had only one") {
  for (const char* pre : {"", "default"}) {
    for (const char* architecture : {"gpt2", "phi2", "qwen2", "llama", ""}) {
      GgufBuilder file = bpe_file("pre");
      if (*pre != '\0') file.string("tokenizer.ggml.pre", pre);
      if (*architecture != '\0') file.string("general.architecture", architecture);
      const bool known = std::string(architecture) != "llama" && *architecture != '\0';
      if (known) {
        CHECK(read(file));
      } else {
        check_file_refused(file, ErrorCode::unsupported, {"tokenizer.ggml.pre", "gpt-2"});
      }
    }
  }
}

TEST_CASE("missing and mistyped keys of a vocabulary are named") {
  for (const char* key : {"tokens", "scores", "token_type"}) {
    check_file_refused(spm_file(key), ErrorCode::bad_file, {std::string("tokenizer.ggml.") + key});
  }
  check_file_refused(bpe_file("merges"), ErrorCode::bad_file, {"tokenizer.ggml.merges"});
  check_file_refused(spm_file().string("tokenizer.ggml.bos_token_id", "1"), ErrorCode::bad_file, {"tokenizer.ggml.bos_token_id"});
  check_file_refused(spm_file().i32("tokenizer.ggml.eos_token_id", -5), ErrorCode::bad_file, {"tokenizer.ggml.eos_token_id", "-5"});
  check_file_refused(spm_file().u32("tokenizer.ggml.unknown_token_id", 260), ErrorCode::bad_file, {"tokenizer.ggml.unknown_token_id", "260"});
  check_file_refused(spm_file().u32("tokenizer.ggml.add_bos_token", 1), ErrorCode::bad_file, {"tokenizer.ggml.add_bos_token"});
  check_file_refused(spm_file().u32("tokenizer.ggml.add_space_prefix", 1), ErrorCode::bad_file, {"tokenizer.ggml.add_space_prefix"});
  check_file_refused(bpe_file("pre").u32("tokenizer.ggml.pre", 1), ErrorCode::bad_file, {"tokenizer.ggml.pre"});
}

TEST_CASE("a vocabulary is read from a file as it stands there") {
  const auto spm = read(spm_file()
                            .u32("tokenizer.ggml.bos_token_id", 1)
                            .u16("tokenizer.ggml.eos_token_id", 2)
                            .u64("tokenizer.ggml.unknown_token_id", 0));
  REQUIRE(spm);
  CHECK(spm->n_vocab() == 260);
  CHECK(spm->adds_bos()); // unless the file says otherwise
  CHECK(encode(*spm, "a") == std::vector<std::int32_t>{259});
  const auto unprefixed = read(spm_file()
                                   .boolean("tokenizer.ggml.add_space_prefix", false)
                                   .u32("tokenizer.ggml.bos_token_id", 1)
                                   .boolean("tokenizer.ggml.add_bos_token", false));
  REQUIRE(unprefixed);
  CHECK_FALSE(unprefixed->adds_bos());
  CHECK(encode(*unprefixed, "a") == std::vector<std::int32_t>{3 + 'a'});
  const auto bpe = read(bpe_file().u32("tokenizer.ggml.bos_token_id", 257));
  REQUIRE(bpe);
  CHECK_FALSE(bpe->adds_bos());
  CHECK(encode(*bpe, "ab") == std::vector<std::int32_t>{256});
  const auto llama = read(bpe_file("pre").string("tokenizer.ggml.pre", "llama-bpe").u32("tokenizer.ggml.bos_token_id", 257));
  REQUIRE(llama);
  CHECK(llama->adds_bos());
  const TempDir dir;
  CHECK(Tokenizer::open(dir.write("v.gguf", bpe_file().build())));
  const auto none = Tokenizer::open(dir.write("none.gguf", GgufBuilder().string("tokenizer.ggml.model", "none").build()));
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::unsupported);
}

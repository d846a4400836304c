// What of a tokenizer.json is not known to give the same ids is not run: the model opens without text and says why.
#include "mote/tokenizer.h"

#include "mote/model.h"
#include "tests/catch.h"
#include "tests/hf_builder.h"

using namespace mote;
using namespace mote::test;

namespace {

/// A byte-level tokenizer of few bytes, each of whose parts can be replaced; null takes it away.
struct MadeTokenizer {
  std::string normalizer = "null";
  std::string pre_tokenizer = R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})";
  std::string decoder = R"({"type": "ByteLevel"})";
  std::string added = R"([{"id": 4, "content": "<end>", "special": true}])";
  std::string options = R"("unk_token": null, "ignore_merges": false)";
  std::string vocab = R"({"a": 0, "b": 1, "ab": 2, "Ġ": 3})";
  std::string merges = R"(["a b"])";
  std::string type = "BPE";
  std::string json() const {
    return "{\"added_tokens\": " + added + ", \"normalizer\": " + normalizer + ", \"pre_tokenizer\": " + pre_tokenizer +
           ", \"decoder\": " + decoder + ", \"model\": {\"type\": \"" + type + "\", " + options + ", \"vocab\": " + vocab +
           ", \"merges\": " + merges + "}}";
  }
};

Result<Model> open_with(const TempDir& dir, const MadeTokenizer& tokenizer) {
  MadeLlama().write(dir);
  dir.write("tokenizer.json", tokenizer.json());
  return Model::open(dir.path());
}

/// Why there is no tokenizer.
std::string problem(const MadeTokenizer& tokenizer) {
  const TempDir dir;
  const auto model = open_with(dir, tokenizer);
  if (!model) FAIL(model.error().message);
  CHECK(model->tokenizer() == nullptr);
  const auto alone = Tokenizer::open(dir.path());
  REQUIRE_FALSE(alone);
  CHECK(alone.error().code == ErrorCode::unsupported);
  CHECK(alone.error().message == model->tokenizer_problem());
  const std::string before = dir.path() + ": tokenizer.json: ";
  REQUIRE(model->tokenizer_problem().starts_with(before));
  return std::string(model->tokenizer_problem().substr(before.size()));
}

std::string refused(const MadeTokenizer& tokenizer) {
  const TempDir dir;
  const auto model = open_with(dir, tokenizer);
  REQUIRE_FALSE(model);
  CHECK(model.error().code == ErrorCode::bad_file);
  return model.error().message.substr(dir.path().size() + 1);
}

/// Characters with all bytes to fall back to.
MadeTokenizer with_bytes() {
  MadeTokenizer t;
  t.vocab = R"({"<unk>": 0, "a": 1, "b": 2, "ab": 3, "▁": 4)";
  t.added = R"([{"id": 0, "content": "<unk>", "special": true, "normalized": false}])";
  for (int byte = 0; byte < 256; ++byte) {
    const char* digits = "0123456789ABCDEF";
    t.vocab += std::string(", \"<0x") + digits[byte / 16] + digits[byte % 16] + ">\": " + std::to_string(5 + byte);
  }
  t.vocab += "}";
  t.options = R"("unk_token": "<unk>", "byte_fallback": true, "fuse_unk": true)";
  t.normalizer = R"({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                     {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]})";
  t.pre_tokenizer = t.decoder = "null";
  return t;
}

template <class Change> MadeTokenizer but(MadeTokenizer tokenizer, Change change) {
  change(tokenizer);
  return tokenizer;
}

} // namespace

TEST_CASE("a small tokenizer.json, merges in both spellings") {
  for (const char* merges : {R"(["a b"])", R"([["a", "b"]])"}) {
    const TempDir dir;
    const auto model = open_with(dir, but(MadeTokenizer(), [&](auto& t) { t.merges = merges; }));
    if (!model) FAIL(model.error().message);
    REQUIRE(model->tokenizer());
    CHECK(*model->tokenizer()->encode("ab<end>a b", {.bos = false, .parse_special = true}) ==
          std::vector<std::int32_t>{2, 4, 0, 3, 1});
    CHECK(model->tokenizer()->n_vocab() == 40); // a token for each row
    CHECK(model->tokenizer()->text(39) == "[PAD39]");
  }
}

TEST_CASE("special tokens are found by text, by id, and in what generation ends at") {
  const TempDir dir;
  MadeLlama llama;
  llama.set("bos_token_id", "0").set("eos_token_id", "[1, 0]").write(dir);
  dir.write("tokenizer.json", MadeTokenizer().json());
  dir.write("generation_config.json", R"({"eos_token_id": [1, 4]})");
  auto tokenizer = Tokenizer::open(dir.path());
  if (!tokenizer) FAIL(tokenizer.error().message);
  CHECK(tokenizer->bos() == 0);
  CHECK(tokenizer->eos() == 1);
  CHECK_FALSE(tokenizer->adds_bos());
  CHECK(tokenizer->is_end(1));
  CHECK(tokenizer->is_end(4));
  dir.write("tokenizer_config.json", R"({"bos_token": "<end>", "eos_token": {"content": "ab"}, "add_bos_token": true})");
  tokenizer = Tokenizer::open(dir.path());
  REQUIRE(tokenizer);
  CHECK(tokenizer->bos() == 4);
  CHECK(tokenizer->eos() == 2);
  CHECK(tokenizer->adds_bos());
}

TEST_CASE("a tokenizer with a step that is not known is none") {
  const auto byte_level = [](auto change) { return problem(but(MadeTokenizer(), change)); };
  CHECK(byte_level([](auto& t) { t.type = "Unigram"; }) == "its model is \"Unigram\"; supported: BPE");
  CHECK(byte_level([](auto& t) { t.options = "\"dropout\": 0.1"; }) == "model.dropout is 0.1, which is not supported");
  CHECK(byte_level([](auto& t) { t.normalizer = R"({"type": "NFKC"})"; }) == "its normalizer \"NFKC\" is not supported");
  CHECK(byte_level([](auto& t) { t.pre_tokenizer = R"({"type": "ByteLevel", "add_prefix_space": true})"; }) ==
        "the step \"ByteLevel\" of its pre_tokenizer is not one that is supported");
  CHECK(byte_level([](auto& t) { t.pre_tokenizer = R"({"type": "Whitespace"})"; }) ==
        "the step \"Whitespace\" of its pre_tokenizer is not one that is supported");
  CHECK(byte_level([](auto& t) { t.pre_tokenizer = "null"; }) ==
        "its pre_tokenizer has no step \"ByteLevel\", and its model no byte_fallback");
  CHECK(byte_level([](auto& t) {
          t.pre_tokenizer =
              R"({"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "x+"}, "behavior": "Isolated",
                                "invert": false}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})";
        }).starts_with("its pre_tokenizer is none of those that are supported: "));
  CHECK(byte_level([](auto& t) {
          t.options = "\"ignore_merges\": true";
        }).starts_with("its pre_tokenizer is none of those that are supported: "));
  CHECK(byte_level([](auto& t) { t.decoder = "null"; }) == "its decoder is not \"ByteLevel\"");
  CHECK(byte_level([](auto& t) { t.added = R"([{"id": 4, "content": "<e>", "rstrip": true}])"; }) ==
        "added token \"<e>\" has rstrip, which is not supported");
  CHECK(byte_level([](auto& t) { t.added = R"([{"id": 40, "content": "<e>"}])"; }) ==
        "token 40 has no row in the embedding of 40");
  CHECK(byte_level([](auto& t) { t.vocab = R"({"a": 7000000000})"; }) == "token 7000000000 has no row in the embedding of 40");
  CHECK(byte_level([](auto& t) { t.merges = R"([["a b", "c"]])"; }) == "merges of tokens with spaces in them are not supported");
}

TEST_CASE("a tokenizer of characters with a step that is not known is none") {
  const auto model_of = [](const MadeTokenizer& tokenizer) {
    const TempDir dir;
    MadeLlama llama;
    llama.set("vocab_size", "300");
    for (const char* name : {"model.embed_tokens.weight", "lm_head.weight"}) llama.tensor(name) = made_tensor(name, {300, 16});
    llama.write(dir);
    dir.write("tokenizer.json", tokenizer.json());
    auto model = Model::open(dir.path());
    if (!model) FAIL(model.error().message);
    return *std::move(model);
  };
  const Model sound = model_of(with_bytes());
  CHECK(sound.tokenizer_problem() == "");
  REQUIRE(sound.tokenizer());
  CHECK(*sound.tokenizer()->encode("ab é") == std::vector<std::int32_t>{4, 3, 4, 5 + 0xC3, 5 + 0xA9});
  const auto reason = [&](auto change) {
    const Model model = model_of(but(with_bytes(), change));
    CHECK(model.tokenizer() == nullptr);
    return std::string(model.tokenizer_problem().substr(model.tokenizer_problem().find("tokenizer.json: ") + 16));
  };
  CHECK(reason([](auto& t) { t.normalizer = R"({"type": "NFC"})"; }) ==
        "the step \"NFC\" of its normalizer is not one that is supported");
  CHECK(reason([](auto& t) { t.normalizer = "null"; }) == "it does not write spaces as U+2581");
  CHECK(reason([](auto& t) {
          t.pre_tokenizer = R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false})";
        }) == "the step \"Metaspace\" of its pre_tokenizer is not one that is supported");
  CHECK(reason([](auto& t) { t.added = R"([{"id": 0, "content": "<unk>", "special": true, "normalized": true}])"; }) ==
        "added token \"<unk>\" is normalized, which is not supported");
  CHECK(reason([](auto& t) { t.vocab.replace(t.vocab.find("<0x41>"), 6, "<0x4l>"); }) ==
        "byte_fallback, but only 255 tokens of bytes");
}

TEST_CASE("a control token that the embedding has no row for is left out") {
  const TempDir dir;
  const auto model =
      open_with(dir, but(MadeTokenizer(), [](auto& t) { t.added = R"([{"id": 40, "content": "[PAD]", "special": true}])"; }));
  if (!model) FAIL(model.error().message);
  REQUIRE(model->tokenizer());
  CHECK(model->tokenizer()->n_vocab() == 40);
}

TEST_CASE("a tokenizer.model with a step that is not known is none, a damaged one an error") {
  const auto field = [](int number, const std::string& bytes) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
  };
  const auto integer = [](int number, int value) {
    return std::string{static_cast<char>(number << 3), static_cast<char>(value)};
  };
  const auto piece = [&](const std::string& text, int type) { return field(1, field(1, text) + integer(3, type)); };
  const std::string pieces = piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3) + piece("a", 1) + piece("▁", 1);
  const std::string trainer = field(2, integer(3, 2)), normalizer = field(3, integer(3, 0) + integer(4, 0));
  const auto open = [&](const std::string& bytes) {
    const TempDir dir;
    MadeLlama().write(dir);
    dir.write("tokenizer.model", bytes);
    return Model::open(dir.path());
  };
  const auto sound = open(pieces + trainer + normalizer);
  if (!sound) FAIL(sound.error().message);
  CHECK(sound->tokenizer_problem() == "");
  REQUIRE(sound->tokenizer());
  CHECK(*sound->tokenizer()->encode("a ab") == std::vector<std::int32_t>{3, 4, 3, 0});
  CHECK(sound->tokenizer()->eos() == 2);
  const auto reason = [&](const std::string& bytes) {
    const auto model = open(bytes);
    if (!model) FAIL(model.error().message);
    CHECK(model->tokenizer() == nullptr);
    return std::string(model->tokenizer_problem().substr(model->tokenizer_problem().find("tokenizer.model: ") + 17));
  };
  CHECK(reason(pieces + normalizer) == "its model type is 1; supported: 2, BPE");
  CHECK(reason(pieces + trainer) == "it removes extra spaces, which is not supported");
  CHECK(reason(pieces + trainer + field(3, field(2, "x") + integer(4, 0))).starts_with("it normalizes text by a table"));
  CHECK(reason(pieces + trainer + field(3, integer(4, 0) + integer(5, 0))) == "it does not write spaces as U+2581");
  std::string many;
  for (int i = 0; i < 41; ++i) many += piece("t" + std::to_string(i), 1);
  CHECK(reason(many + trainer + normalizer) == "41 tokens, but the embedding has 40 rows");
  const auto refused_model = [&](const std::string& bytes) {
    const auto model = open(bytes);
    REQUIRE_FALSE(model);
    CHECK(model.error().code == ErrorCode::bad_file);
    return model.error().message.substr(model.error().message.find("tokenizer.model: ") + 17);
  };
  CHECK(refused_model(trainer + normalizer) == "holds no pieces");
  CHECK(refused_model(pieces + "\x0a\x7f") == "damaged");
  CHECK(refused_model(pieces + "\x0b") == "damaged");
  CHECK(refused_model(pieces + std::string(20, '\xff')) == "damaged");
  CHECK(refused_model(field(1, field(1, "a") + "\x12\x7f")) == "damaged field 1");
}

TEST_CASE("damaged tokenizer files are errors") {
  CHECK(refused(but(MadeTokenizer(), [](auto& t) { t.vocab = "[]"; })) == " tokenizer.json: model.vocab is missing or no object");
  CHECK(refused(but(MadeTokenizer(), [](auto& t) { t.vocab = R"({"a": -1})"; })).find("token \"a\": its id is -1") !=
        std::string::npos);
  CHECK(refused(but(MadeTokenizer(), [](auto& t) { t.vocab = R"({"a": 1, "b": 1})"; })).find("two tokens have the id 1") !=
        std::string::npos);
  CHECK(refused(but(MadeTokenizer(), [](auto& t) { t.merges = "[7]"; })).find("model.merges: 7, expected two tokens") !=
        std::string::npos);
  CHECK(refused(but(MadeTokenizer(), [](auto& t) { t.merges = R"(["a c"])"; })).find("is no token") != std::string::npos);
  CHECK(refused(but(MadeTokenizer(), [](auto& t) { t.added = "[{}]"; })).find("a token without id or content") !=
        std::string::npos);
  CHECK(refused(but(MadeTokenizer(), [](auto& t) { t.added = "["; })).find("is no JSON") != std::string::npos);
}

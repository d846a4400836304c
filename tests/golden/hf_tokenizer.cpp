// Tokenizers of Hugging Face directories give the ids that `tokenizers` and `sentencepiece` give:
// tests/golden/text/make_hf_golden.py.
#include <filesystem>
#include <string>

#include "mote/model.h"
#include "mote/quantize.h"
#include "mote/tokenizer.h"
#include "tests/catch.h"
#include "tests/golden/text/golden_file.h"
#include "tests/hf_builder.h"

using namespace mote;
using namespace mote::test;

namespace {

const std::string kFolder = MOTE_SOURCE_DIR "/tests/golden/text/";

struct GoldenTokenizer {
  std::string name;
  bool adds_bos = false;
  std::int32_t bos = -1, eos = -1;
  std::vector<GoldenText> texts;
};

std::vector<GoldenTokenizer> read_golden_tokenizers() {
  std::vector<GoldenTokenizer> all;
  std::vector<std::string> texts;
  std::ifstream file(kFolder + "hf_tokenizers.txt", std::ios::binary);
  for (std::string whole; std::getline(file, whole);) {
    std::istringstream line(whole);
    std::string what, word;
    line >> what;
    if (what == "text") {
      line >> word;
      texts.push_back(unescape(word));
    } else if (what == "tokenizer") {
      GoldenTokenizer& golden = all.emplace_back();
      line >> golden.name >> golden.adds_bos >> golden.bos >> golden.eos;
    } else if (what == "encode" || what == "special") {
      all.back().texts.push_back(read_golden_text(line, texts));
      all.back().texts.back().parse_special = what == "special";
    }
  }
  return all;
}

/// A model with room for every token, in whose directory the golden's files are.
std::string write_model(const TempDir& dir, const std::string& name) {
  MadeLlama llama;
  llama.set("vocab_size", "800");
  llama.tensor("model.embed_tokens.weight") = made_tensor("model.embed_tokens.weight", {800, 16});
  llama.tensor("lm_head.weight") = made_tensor("lm_head.weight", {800, 16});
  llama.write(dir);
  for (const auto& file : std::filesystem::directory_iterator(kFolder + name))
    std::filesystem::copy(file.path(), dir.file(file.path().filename().string()));
  return dir.path();
}

void check_ids(const Tokenizer& tokenizer, const GoldenTokenizer& golden) {
  CHECK(tokenizer.adds_bos() == golden.adds_bos);
  CHECK(tokenizer.bos() == golden.bos);
  CHECK(tokenizer.eos() == golden.eos);
  for (const GoldenText& text : golden.texts) {
    INFO("text: " << text.text);
    const auto ids = tokenizer.encode(text.text, {.bos = false, .parse_special = text.parse_special});
    REQUIRE(ids);
    CHECK(*ids == text.ids);
    if (text.round_trip) CHECK(tokenizer.decode(*ids) == text.text);
  }
}

} // namespace

TEST_CASE("the tokenizer of a directory gives the reference's ids, and so does that of a GGUF file made from it") {
  const auto all = read_golden_tokenizers();
  REQUIRE(all.size() == 12);
  std::size_t n_texts = 0;
  for (const GoldenTokenizer& golden : all) {
    INFO(golden.name);
    const TempDir dir;
    const std::string path = write_model(dir, golden.name);
    const auto model = Model::open(path);
    if (!model) FAIL(model.error().message);
    CHECK(model->tokenizer_problem() == "");
    REQUIRE(model->tokenizer());
    check_ids(*model->tokenizer(), golden);
    const Status quantized = quantize_file(path, dir.file("model.gguf"), {});
    if (!quantized) FAIL(quantized.error().message);
    const auto from_gguf = Tokenizer::open(dir.file("model.gguf"));
    if (!from_gguf) FAIL(from_gguf.error().message);
    check_ids(*from_gguf, golden);
    n_texts += golden.texts.size();
  }
  CHECK(n_texts > 700);
}

// Vocabularies of published models, with ids that their own tokenizers gave; they lie beside the repository.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "mote/tokenizer.h"
#include "tests/catch.h"
#include "tests/shared_dir.h"

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The texts of an .inp file, between lines of "__ggml_vocab_test__".
std::vector<std::string> read_texts(const std::string& path) {
  const std::string all = read_file(path), separator = "\n__ggml_vocab_test__\n";
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = all.find(separator, at);
    if (end == std::string::npos) break; // what follows the last separator is empty
    texts.push_back(all.substr(at, end - at));
    at = end + separator.size();
  }
  return texts;
}

} // namespace

TEST_CASE("published vocabularies give the ids of the models' own tokenizers") {
  std::size_t n_texts = 0;
  for (const char* name : {"deepseek-llm", "falcon", "gpt-2", "llama-spm", "mpt", "phi-3"}) {
    INFO(name);
    const auto path = shared_file((std::string("vocab/ggml-vocab-") + name + ".gguf").c_str());
    if (!path) return;
    const auto tokenizer = mote::Tokenizer::open(*path);
    if (!tokenizer) FAIL(tokenizer.error().message);
    std::ifstream expected(*path + ".out");
    for (const std::string& text : read_texts(*path + ".inp")) {
      INFO("text: " << text);
      std::string line, found;
      REQUIRE(std::getline(expected, line));
      const auto ids = tokenizer->encode(text);
      REQUIRE(ids);
      for (const std::int32_t id : *ids) found += " " + std::to_string(id);
      CHECK(found == line);
      CHECK(tokenizer->decode(*ids) == text);
      ++n_texts;
    }
    std::string rest;
    CHECK_FALSE(std::getline(expected, rest));
  }
  CHECK(n_texts >= 6 * 40);
}

TEST_CASE("a published vocabulary knows its special tokens") {
  const auto path = shared_file("vocab/ggml-vocab-phi-3.gguf");
  if (!path) return;
  const auto tokenizer = mote::Tokenizer::open(*path);
  REQUIRE(tokenizer);
  CHECK(tokenizer->n_vocab() == 32064);
  CHECK(tokenizer->bos() == 1);
  CHECK(tokenizer->eos() == 32000);
  CHECK(tokenizer->adds_bos());
  CHECK(tokenizer->is_end(32007)); // <|end|>
  CHECK_FALSE(tokenizer->is_end(32010));
  const auto ids = tokenizer->encode("<|user|>\nHi<|end|>", {.bos = true, .parse_special = true});
  REQUIRE(ids);
  CHECK(ids->front() == 1);
  CHECK((*ids)[1] == 32010);
  CHECK(ids->back() == 32007);
}

TEST_CASE("the vocabulary of a published model is read") {
  const auto path = shared_file("models/stories260K.gguf");
  if (!path) return;
  const auto tokenizer = mote::Tokenizer::open(*path);
  if (!tokenizer) FAIL(tokenizer.error().message);
  CHECK(tokenizer->n_vocab() == 512);
  const std::string text = "Once upon a time, there was a little girl named Lily.\n";
  const auto ids = tokenizer->encode(text);
  REQUIRE(ids);
  CHECK(tokenizer->decode(*ids) == text);
}

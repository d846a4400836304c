// Damaged directories: whatever the bytes of config.json, the index and the weights, opening gives a model or an error that names
// the file, and never reads beyond what is there.
#include <fstream>
#include <random>

#include "lib/hf/open.h"
#include "mote/model.h"
#include "mote/tokenizer.h"
#include "tests/catch.h"
#include "tests/hf_builder.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;

namespace {

class Fuzzer {
 public:
  explicit Fuzzer(unsigned seed, std::int64_t n_vocab = 40) : random_(seed) {
    llama_.set("vocab_size", std::to_string(n_vocab));
    for (const char* name : {"model.embed_tokens.weight", "lm_head.weight"})
      llama_.tensor(name) = made_tensor(name, {n_vocab, 16});
    llama_.write(dir_);
  }

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  std::string damaged(std::string bytes, std::size_t end) {
    for (std::size_t n = 1 + below(3); n > 0; --n) {
      const std::size_t at = below(std::min(end, bytes.size()));
      switch (below(6)) {
        case 0: bytes[at] = static_cast<char>(below(256)); break;
        case 1: bytes.erase(at, 1 + below(8)); break;
        case 2: bytes.insert(at, bytes.substr(below(bytes.size()), below(40))); break;
        case 3: bytes[at] = "0123456789"[below(10)]; break;
        case 4: bytes.insert(at, std::string(1 + below(20), "9-.[{\"e"[below(7)])); break;
        default: bytes.resize(at + 1); break;
      }
    }
    return bytes;
  }
  /// Packs all weights, so that every row is read.
  void try_with(std::string_view name, std::string_view bytes) {
    dir_.write(name, bytes);
    const auto model = Model::open(dir_.path());
    if (model) {
      ++n_opened;
      if (model->tokenizer()) n_ids += model->tokenizer()->encode("Größe <|end|> 12")->size();
      return;
    }
    ++n_refused;
    const std::string& message = model.error().message;
    if (!message.starts_with(dir_.path()) || message.find('\n') != std::string::npos) FAIL("message: " + message);
  }
  const MadeLlama& llama() const { return llama_; }
  const TempDir& dir() const { return dir_; }

  int n_opened = 0, n_refused = 0;
  std::size_t n_ids = 0;

 private:
  std::mt19937 random_;
  TempDir dir_;
  MadeLlama llama_;
};

} // namespace

TEST_CASE("fuzz hf: damaged configs") {
  Fuzzer fuzzer(1);
  const std::string config = fuzzer.llama().config_json();
  for (int i = 0; i < 600; ++i) fuzzer.try_with("config.json", fuzzer.damaged(config, config.size()));
  CHECK(fuzzer.n_opened > 0);
  CHECK(fuzzer.n_refused > 0);
}

TEST_CASE("fuzz hf: damaged headers of weights") {
  Fuzzer fuzzer(2);
  const std::string weights = safetensors_of(fuzzer.llama().tensors);
  const std::size_t header = weights.find('}', weights.rfind("data_offsets"));
  for (int i = 0; i < 600; ++i) fuzzer.try_with("model.safetensors", fuzzer.damaged(weights, header));
  for (std::size_t n = 0; n < weights.size(); n += 1 + n / 20) fuzzer.try_with("model.safetensors", weights.substr(0, n));
  fuzzer.try_with("model.safetensors", weights);
  CHECK(fuzzer.n_opened > 0);
  CHECK(fuzzer.n_refused > 0);
}

TEST_CASE("fuzz hf: extreme numbers in headers of weights") {
  Fuzzer fuzzer(3);
  const std::string weights = safetensors_of(fuzzer.llama().tensors);
  const std::uint64_t length = weights.find('}', weights.rfind("data_offsets")) + 2 - 8;
  const char* const extremes[] = {"0", "-1", "4294967296", "9223372036854775807", "18446744073709551615", "1e400", "1.5", "null"};
  int n = 0;
  for (std::size_t at = 8; at < length; ++at) {
    const auto digit = [&](std::size_t i) { return weights[i] >= '0' && weights[i] <= '9'; };
    if (!digit(at) || digit(at - 1) || weights[at - 1] == '.') continue;
    std::size_t end = at;
    while (digit(end)) ++end;
    std::string header = weights.substr(8, length);
    header.replace(at - 8, end - at, extremes[static_cast<std::size_t>(n++) % std::size(extremes)]);
    fuzzer.try_with("model.safetensors", safetensors_bytes(header, weights.substr(8 + length)));
  }
  CHECK(n > 60);
  CHECK(fuzzer.n_refused > 50);
}

TEST_CASE("fuzz hf: damaged indexes") {
  Fuzzer fuzzer(4);
  std::string index = "{\"weight_map\": {";
  for (const MadeTensor& t : fuzzer.llama().tensors) index += "\"" + t.name + "\": \"all.safetensors\", ";
  index.replace(index.size() - 2, 2, "}}");
  std::filesystem::rename(fuzzer.dir().file("model.safetensors"), fuzzer.dir().file("all.safetensors"));
  fuzzer.try_with("model.safetensors.index.json", index);
  CHECK(fuzzer.n_opened == 1);
  for (int i = 0; i < 300; ++i) fuzzer.try_with("model.safetensors.index.json", fuzzer.damaged(index, index.size()));
  CHECK(fuzzer.n_refused > 0);
}

TEST_CASE("fuzz hf: damaged tokenizers") {
  Fuzzer fuzzer(5, 800); // a row for every token
  for (const char* name : {"hf_gpt-2", "hf_llama"}) {
    std::ifstream file(std::string(MOTE_SOURCE_DIR) + "/tests/golden/text/" + name + "/tokenizer.json", std::ios::binary);
    const std::string json{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    REQUIRE(json.size() > 1000);
    for (int i = 0; i < 150; ++i) fuzzer.try_with("tokenizer.json", fuzzer.damaged(json, i % 2 == 0 ? 1500 : json.size()));
  }
  std::filesystem::remove(fuzzer.dir().file("tokenizer.json"));
  std::ifstream file(std::string(MOTE_SOURCE_DIR) + "/tests/golden/text/hf_sp/tokenizer.model", std::ios::binary);
  const std::string model{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  REQUIRE(model.size() > 1000);
  for (int i = 0; i < 200; ++i) fuzzer.try_with("tokenizer.model", fuzzer.damaged(model, model.size()));
  CHECK(fuzzer.n_ids > 0);
  CHECK(fuzzer.n_opened > 0);
  CHECK(fuzzer.n_refused > 0);
}

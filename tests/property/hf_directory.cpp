// A directory goes the same ways as the GGUF file of the same model: quantizing, the packed cache, any number of threads.
#include <cstring>
#include <filesystem>

#include "lib/gguf/file.h"
#include "mote/quantize.h"
#include "tests/hf_builder.h"
#include "tests/property/models.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;

namespace {

std::string golden(const std::string& name) { return std::string(MOTE_SOURCE_DIR) + "/tests/golden/models/" + name; }

std::vector<float> logits_of_path(const std::string& path, const ModelOptions& options = {}, CacheReport* cache = nullptr) {
  const auto model = Model::open(path, options);
  if (!model) FAIL(model.error().message);
  if (cache) *cache = model->cache();
  return logits_of(*model, make_prompt(*model, 6), {}, {5, 1});
}

gguf::File quantized(const std::string& from, const std::string& to, Mix mix) {
  QuantizeOptions options;
  options.mix = mix;
  const Status status = quantize_file(from, to, options);
  if (!status) FAIL(status.error().message);
  auto file = gguf::File::open(to);
  if (!file) FAIL(file.error().message);
  return *std::move(file);
}

} // namespace

TEST_CASE("quantizing a directory gives the tensors that quantizing its GGUF file gives") {
  const TempDir dir;
  for (const char* name : {"llama_gqa", "gpt2", "gptneox", "phi2"})
    for (const Mix mix : {Mix::F32, Mix::F16, Mix::Q8_0}) {
      CAPTURE(name, mix_name(mix));
      const gguf::File a = quantized(golden(name), dir.file("a.gguf"), mix);
      const gguf::File b = quantized(golden(name) + ".gguf", dir.file("b.gguf"), mix);
      REQUIRE(a.tensors().size() == b.tensors().size());
      for (const gguf::Tensor& t : a.tensors()) {
        INFO(t.name);
        const gguf::Tensor* other = b.find_tensor(t.name);
        REQUIRE(other != nullptr);
        CHECK(t.type == other->type);
        CHECK(t.dims == other->dims);
        CHECK(t.n_dims == other->n_dims);
        REQUIRE(t.data.size() == other->data.size());
        CHECK(std::memcmp(t.data.data(), other->data.data(), t.data.size()) == 0);
      }
    }
  const Status onto_itself = quantize_file(golden("llama_gqa"), golden("llama_gqa") + "/config.json", {});
  REQUIRE_FALSE(onto_itself);
  CHECK(onto_itself.error().message.find("would replace the input") != std::string::npos);
}

TEST_CASE("a directory's packed weights are kept, and made anew when any of its files changes") {
  const TempDir model, cache;
  MadeLlama llama;
  llama.write(model);
  ModelOptions options;
  options.cache_dir = cache.path();
  options.n_threads = 3;
  CacheReport report;
  const auto expected = logits_of_path(model.path(), options, &report);
  CHECK(report.use == CacheUse::written);
  CHECK(logits_of_path(model.path(), options, &report) == expected);
  CHECK(report.use == CacheUse::read);
  CHECK(logits_of_path(model.path()) == expected);

  model.write("config.json", llama.set("rope_theta", "9999.0").config_json());
  CHECK(logits_of_path(model.path(), options, &report) != expected);
  CHECK(report.use == CacheUse::written);
  for (float& x : llama.tensor("model.layers.1.mlp.up_proj.weight").values) x = -x;
  llama.write(model);
  const auto changed = logits_of_path(model.path(), options, &report);
  CHECK(report.use == CacheUse::written);
  CHECK(changed == logits_of_path(model.path()));
}

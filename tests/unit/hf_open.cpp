// Model directories: what opens, and the words of what does not.
#include "lib/hf/open.h"

#include "lib/spec/read_spec.h"
#include "mote/model.h"
#include "mote/session.h"
#include "tests/catch.h"
#include "tests/hf_builder.h"

using namespace mote;
using namespace mote::test;

namespace {

Error refused(const std::string& path) {
  const auto model = Model::open(path);
  REQUIRE_FALSE(model);
  return model.error();
}

std::string refused_message(const MadeLlama& llama) {
  const TempDir dir;
  const Error error = refused(llama.write(dir));
  REQUIRE(error.message.starts_with(dir.path()));
  return error.message.substr(dir.path().size());
}

ModelSpec spec_of(const MadeLlama& llama) {
  const TempDir dir;
  const auto model = Model::open(llama.write(dir));
  if (!model) FAIL(model.error().message);
  ModelSpec spec = model->spec();
  spec.name.clear();
  return spec;
}

std::string index_of(const std::string& entries) { return "{\"metadata\": {}, \"weight_map\": {" + entries + "}}"; }

} // namespace

TEST_CASE("a directory opens; its name is the model's") {
  const TempDir dir;
  const auto model = Model::open(MadeLlama().write(dir) + "/");
  if (!model) FAIL(model.error().message);
  CHECK(model->spec().family == "llama");
  CHECK(dir.path().ends_with(model->spec().name));
  CHECK(model->type_name() == "F32");
  CHECK(model->tokenizer() == nullptr);
  CHECK_FALSE(model->spec().head.tied);
}

TEST_CASE("a head of its own is not used where the config ties it to the embedding, and missed where it does not") {
  CHECK(spec_of(MadeLlama().set("tie_word_embeddings", "true")).head.tied);
  CHECK(refused_message(MadeLlama().remove("lm_head.weight")) == ": tensor \"lm_head.weight\" is missing");
}

TEST_CASE("configs say rope in old and in new words") {
  const ModelSpec plain = spec_of(MadeLlama().set("rope_theta", "5000"));
  CHECK(plain.layers[0].attention()->rope->base == 5000.0);
  CHECK(spec_of(MadeLlama().set("rope_theta", "").set("rope_parameters", R"({"rope_type": "default", "rope_theta": 5000.0})")) ==
        plain);
  CHECK(spec_of(MadeLlama().set("rope_theta", "")).layers[0].attention()->rope->base == 10000.0);
  const ModelSpec linear = spec_of(MadeLlama().set("rope_scaling", R"({"type": "linear", "factor": 4.0})"));
  CHECK(linear.layers[1].attention()->rope->factors == std::vector<float>{4, 4});
  const std::string llama3 =
      R"("factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16)";
  const ModelSpec old_words = spec_of(MadeLlama().set("rope_scaling", "{\"rope_type\": \"llama3\", " + llama3 + "}"));
  CHECK(spec_of(MadeLlama()
                    .set("rope_theta", "")
                    .set("rope_parameters", "{\"rope_type\": \"llama3\", \"rope_theta\": 10000, " + llama3 + "}")) == old_words);
  CHECK(old_words.layers[0].attention()->rope->factors.size() == 2);

  CHECK(refused_message(MadeLlama().set("rope_scaling", R"({"type": "dynamic", "factor": 2.0})"))
            .starts_with("/config.json: rope_scaling.type is \"dynamic\", which is not supported; supported: default, "));
  CHECK(refused_message(MadeLlama().set("rope_scaling", R"({"rope_type": "llama3", "factor": 8.0})")) ==
        "/config.json: rope_scaling.low_freq_factor is missing, expected a number from 0.25 to 1e+09");
}

TEST_CASE("what a config asks for and is not computed is refused by its key") {
  const std::string config = "/config.json: ";
  CHECK(refused_message(MadeLlama().set("model_type", "\"lama\""))
            .starts_with(config + "model_type \"lama\" is not supported; supported: "));
  CHECK(refused_message(MadeLlama().set("model_type", "")) == config + "model_type is missing, expected a string");
  CHECK(refused_message(MadeLlama().set("hidden_act", "\"tanh\"")) ==
        config +
            "hidden_act is \"tanh\", which is not supported; supported: silu, swish, gelu, relu, gelu_new, "
            "gelu_pytorch_tanh, relu2");
  CHECK(refused_message(MadeLlama().set("quantization_config", "{\"quant_method\": \"awq\"}")) ==
        config + "quantization_config is there: quantized weights are not read");
  CHECK(refused_message(MadeLlama().set("model_type", "\"qwen2\"").set("use_sliding_window", "true")) ==
        config + "use_sliding_window is true, which is not supported");
  CHECK(refused_message(MadeLlama().set("num_hidden_layers", "2.5")) ==
        config + "num_hidden_layers is 2.5, expected an integer from 1 to 4096");
  CHECK(refused_message(MadeLlama().set("num_hidden_layers", "1")) ==
        ": tensor \"model.layers.1.input_layernorm.weight\" is not part of the family llama as it is supported here");
  CHECK(refused_message(MadeLlama().set("num_hidden_layers", "3")) ==
        ": tensor \"model.layers.2.input_layernorm.weight\" is missing");
  CHECK(refused_message(MadeLlama().set("num_attention_heads", "8")) ==
        ": tensor \"model.layers.0.self_attn.k_proj.weight\" [8, 16] of \"F32\": expected 4 rows of 16");
}

TEST_CASE("a directory lacks a file") {
  const TempDir dir;
  CHECK(refused(dir.path()).message ==
        dir.path() + ": is a directory without config.json, expected a GGUF file or a model's directory");
  dir.write("config.json", MadeLlama().config_json());
  CHECK(refused(dir.path()).message == dir.path() + ": holds neither model.safetensors nor model.safetensors.index.json");
  dir.write("pytorch_model.bin", "PK");
  const Error bin = refused(dir.path());
  CHECK(bin.code == ErrorCode::unsupported);
  CHECK(bin.message.starts_with(dir.file("pytorch_model.bin") + ": PyTorch's own format is not read"));
  CHECK(bin.message.find("save_pretrained") != std::string::npos);
  dir.write("config.json", "[1]");
  CHECK(refused(dir.path()).message == dir.file("config.json") + ": is a list of 1, expected an object");
}

TEST_CASE("several files with an index") {
  const TempDir whole, parts;
  MadeLlama llama;
  llama.write(whole);
  parts.write("config.json", llama.config_json());
  const std::size_t half = llama.tensors.size() / 2;
  std::string entries;
  std::vector<MadeTensor> files[2];
  for (std::size_t i = 0; i < llama.tensors.size(); ++i) {
    files[i < half].push_back(llama.tensors[i]);
    entries += (i == 0 ? "\"" : ", \"") + llama.tensors[i].name + "\": \"" + (i < half ? "a" : "b") + ".safetensors\"";
  }
  parts.write("a.safetensors", safetensors_of(files[1]));
  parts.write("b.safetensors", safetensors_of(files[0]));
  parts.write("model.safetensors.index.json", index_of(entries));
  const auto logits = [](const std::string& path) {
    const auto model = Model::open(path);
    if (!model) FAIL(model.error().message);
    auto session = Session::create(*model);
    const std::vector<std::int32_t> prompt{1, 2, 3};
    REQUIRE(session->decode(prompt));
    return std::vector<float>(session->logits().begin(), session->logits().end());
  };
  CHECK(logits(parts.path()) == logits(whole.path()));

  const std::string index = parts.file("model.safetensors.index.json");
  const auto refuse = [&](const std::string& wrong_entries) {
    parts.write("model.safetensors.index.json", index_of(wrong_entries));
    return refused(parts.path()).message;
  };
  for (const char* file :
       {"\"../a.safetensors\"", "\"/etc/a.safetensors\"", "\"a.bin\"", "\"\"", "\"..\"", "7", "\"x/a.safetensors\""})
    CHECK(refuse("\"w\": " + std::string(file)).find("expected the name of a .safetensors file in the same directory") !=
          std::string::npos);
  CHECK(refuse("\"w\": \"c.safetensors\"").starts_with(parts.file("c.safetensors") + ": cannot be opened"));
  CHECK(refuse("\"w\": \"a.safetensors\"") ==
        parts.file("a.safetensors") + ": tensor \"w\" is missing, which model.safetensors.index.json says to be here");
  parts.write("b.safetensors", safetensors_of(files[1]));
  CHECK(refuse("\"model.norm.weight\": \"b.safetensors\"").find("is missing") != std::string::npos);
  CHECK(
      refuse("\"model.embed_tokens.weight\": \"b.safetensors\", \"model.layers.0.input_layernorm.weight\": \"a.safetensors\"") ==
      parts.path() + ": tensor \"model.embed_tokens.weight\" is in two files");
  parts.write("model.safetensors.index.json", "{}");
  CHECK(refused(parts.path()).message == index + ": weight_map is missing or no object");
}

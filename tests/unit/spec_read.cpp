#include "tests/catch.h"

#include <functional>
#include <limits>
#include <span>
#include <string>

#include "lib/gguf/file.h"
#include "lib/spec/names.h"
#include "lib/spec/read_spec.h"
#include "tests/shared_dir.h"
#include "tests/temp_dir.h"
#include "tests/unit/spec_file.h"
#include "tests/unit/spec_reading.h"

namespace {

using namespace mote;
using test::read;
using test::read_sound;
using test::shape;
using test::small_llama;
using test::SpecFile;

using Change = std::function<void(SpecFile&)>;

} // namespace

TEST_CASE("a spec that is written to a file is read back") {
  const char* shapes[] = {
      "family=llama,layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=100",
      "family=llama,layers=3,d_model=72,d_ff=96,heads=2,vocab=100,tied=1,rope_dims=32,rope_scaling=llama3:8:1:4:64",
      "family=llama,layers=2,d_model=64,d_ff=96,heads=4,vocab=100,head_dim=8,qkv_bias=1,output_bias=1,ffn_bias=1,head_bias=1",
      "family=llama,layers=2,d_model=64,d_ff=96,heads=4,kv_heads=1,vocab=100,qkv=fused,qkv_bias=1",
      "family=qwen2,layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=100,tied=1",
      "family=qwen3,layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=100,head_dim=32,tied=1",
      "family=gpt2,layers=2,d_model=64,d_ff=256,heads=4,vocab=100,ctx=50,positions=60",
      "family=gpt2,layers=2,d_model=64,d_ff=256,heads=4,vocab=100,ctx=50,tied=0",
      "family=phi2,layers=2,d_model=160,d_ff=96,heads=2,vocab=100",
      "family=phi2,layers=2,d_model=160,d_ff=96,heads=2,vocab=100,qkv=separate",
      "family=gptneox,layers=2,d_model=66,d_ff=96,heads=2,vocab=100",
      "family=stablelm,layers=2,d_model=66,d_ff=96,heads=2,vocab=100",
      "family=stablelm,layers=2,d_model=66,d_ff=96,heads=2,kv_heads=1,vocab=100,qkv_bias=1,rope_dims=12",
      "family=gptneox,layers=2,d_model=66,d_ff=96,heads=2,vocab=100,residual=sequential,rope_dims=12",
  };
  for (const char* text : shapes) {
    const ModelSpec written = shape(text);
    const ModelSpec found = read_sound(test::file_of(written));
    INFO(text);
    CHECK(diff(written, found) == "");
    CHECK(written == found);
  }
}

TEST_CASE("keys that a file may leave out have the usual values") {
  SpecFile file = test::file_of(small_llama());
  file.keys.erase("llama.attention.head_count_kv");
  file.keys.erase("llama.rope.dimension_count");
  file.keys.erase("llama.rope.freq_base");
  file.keys.erase("general.name");
  const ModelSpec spec = read_sound(file);
  CHECK(spec.name.empty());
  CHECK(spec.layers[1].attention()->n_kv_heads == 4);
  CHECK(spec.layers[1].attention()->rope == RopeSpec{RopeStyle::interleaved, 16, 10000.0, {}});

  file = test::file_of(shape("family=qwen2,layers=2,d_model=64,d_ff=96,heads=4,vocab=100"));
  file.keys.erase("qwen2.rope.freq_base");
  CHECK(read_sound(file).layers[0].attention()->rope->base == 10000.0); // the format's default, not the family's
}

TEST_CASE("sizes may differ by layer") {
  SpecFile file = test::file_of(small_llama());
  file.i32s("llama.attention.head_count", {4, 2});
  file.i32s("llama.attention.head_count_kv", {2, 1});
  file.i32s("llama.feed_forward_length", {96, 48});
  file.u32("llama.attention.key_length", 16);
  const ModelSpec spec = read_sound(file);
  CHECK(spec.layers[0].attention()->n_heads == 4);
  CHECK(spec.layers[1].attention()->n_heads == 2);
  CHECK(spec.layers[0].attention()->n_kv_heads == 2);
  CHECK(spec.layers[1].attention()->n_kv_heads == 1);
  CHECK(spec.layers[0].ffn->d_ff == 96);
  CHECK(spec.layers[1].ffn->d_ff == 48);
}

TEST_CASE("linear scaling becomes equal factors, with and without a tensor of factors") {
  SpecFile file = test::file_of(small_llama());
  file.string("llama.rope.scaling.type", "none");
  file.f32("llama.rope.scaling.factor", 8);
  CHECK(read_sound(file).layers[0].attention()->rope->factors.empty());
  file.string("llama.rope.scaling.type", "linear");
  CHECK(read_sound(file).layers[0].attention()->rope->factors == std::vector<float>(8, 8.0f));
  CHECK(weights::list_tensors(read_sound(file)).size() == file.tensors.size()); // no tensor stands for them
  file.keys.erase("llama.rope.scaling.type");                                   // a factor alone means the same
  CHECK(read_sound(file).layers[0].attention()->rope->factors == std::vector<float>(8, 8.0f));
  file.keys.erase("llama.rope.scaling.factor");
  file.f32("llama.rope.scale_linear", 2);
  CHECK(read_sound(file).layers[1].attention()->rope->factors == std::vector<float>(8, 2.0f));
  file.f32("llama.rope.scale_linear", 1);
  CHECK(read_sound(file).layers[0].attention()->rope->factors.empty());

  ModelSpec scaled = small_llama();
  for (LayerSpec& layer : scaled.layers) layer.attention()->rope->factors = {1, 1, 1, 1, 2, 4, 4, 4};
  file = test::file_of(scaled);
  CHECK(read_sound(file) == scaled);
  file.string("llama.rope.scaling.type", "linear");
  file.f32("llama.rope.scaling.factor", 2);
  CHECK(read_sound(file).layers[0].attention()->rope->factors == std::vector<float>{2, 2, 2, 2, 4, 8, 8, 8});
}

TEST_CASE("features at their neutral value are no obstacle") {
  SpecFile file = test::file_of(small_llama());
  file.u32("llama.expert_count", 0);
  file.u32("llama.expert_used_count", 0);
  file.u32("llama.attention.sliding_window", 128); // as large as the context
  file.f32("llama.logit_scale", 1);
  file.f32("llama.embedding_scale", 0);
  file.f32("llama.final_logit_softcapping", 0);
  file.boolean("llama.attention.causal", true);
  file.boolean("llama.use_parallel_residual", false);
  file.f32("llama.attention.scale", 0);
  file.u32("llama.vocab_size", 100);
  file.strings("tokenizer.ggml.tokens", std::vector<std::string>(97, "x")); // rows may be padded
  CHECK(read_sound(file) == small_llama());
  file.f32("llama.attention.scale", 0.5f);
  CHECK(read_sound(file).layers[0].attention()->scale == 0.5f);
}

TEST_CASE("an unknown architecture is refused with the list of those that are known") {
  SpecFile file = test::file_of(small_llama());
  file.string("general.architecture", "lama");
  const auto spec = read(file);
  REQUIRE_FALSE(spec);
  CHECK(spec.error().code == ErrorCode::unsupported);
  CHECK(spec.error().message.ends_with("model.gguf: architecture \"lama\" is not supported; supported: " +
                                       spec::join(family_names())));
}

TEST_CASE("scales, caps and bounds that a file names are in the spec") {
  SpecFile file = test::file_of(small_llama());
  file.f32("llama.attn_logit_softcapping", 50);
  file.f32("llama.final_logit_softcapping", 30);
  file.f32("llama.embedding_scale", 12);
  file.f32("llama.residual_scale", 0.25f);
  file.f32("llama.attention.clamp_kqv", 8);
  file.f32("llama.attention.max_alibi_bias", 4);
  const auto spec = read(file);
  REQUIRE(spec);
  ModelSpec expected = *read(test::file_of(small_llama()));
  expected.embedding.scale = 12;
  expected.head.softcap = 30;
  for (LayerSpec& layer : expected.layers) {
    layer.residual_scale = 0.25f;
    layer.attention()->softcap = 50;
    layer.attention()->clamp = 8;
    layer.attention()->alibi_max_bias = 4;
  }
  CHECK(diff(expected, *spec) == "");
}

TEST_CASE("a window shorter than the context: in families that have them, else refused") {
  SpecFile llama = test::file_of(small_llama());
  llama.u32("llama.attention.sliding_window", 64);
  const auto windowed = read(llama);
  REQUIRE(windowed);
  for (const LayerSpec& layer : windowed->layers) CHECK(layer.attention()->window == 64);
  llama.u32("llama.attention.sliding_window_pattern", 2);
  CHECK(read(llama)->layers[0].attention()->window == 64);
  CHECK(read(llama)->layers[1].attention()->window == 0);
  llama.u32("llama.attention.sliding_window", 128);
  CHECK(read(llama)->layers[0].attention()->window == 0);

  SpecFile qwen2 = test::file_of(*spec_from_shape("family=qwen2,layers=2,d_model=64,d_ff=96,heads=4,vocab=100,ctx=128"));
  qwen2.u32("qwen2.attention.sliding_window", 64);
  const auto refused = read(qwen2);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
  CHECK(refused.error().message.find("qwen2.attention.sliding_window is 64") != std::string::npos);
}

TEST_CASE("features that are not computed are refused by name") {
  struct Case {
    const char* part;
    Change change;
  };
  const Case cases[] = {
      {"llama.logit_scale is 16", [](SpecFile& f) { f.f32("llama.logit_scale", 16); }},
      {"llama.rope.scaling.attn_factor is 1.5", [](SpecFile& f) { f.f32("llama.rope.scaling.attn_factor", 1.5f); }},
      {"llama.attention.causal is false", [](SpecFile& f) { f.boolean("llama.attention.causal", false); }},
      {"llama.use_parallel_residual is true", [](SpecFile& f) { f.boolean("llama.use_parallel_residual", true); }},
      {"llama.rope.scaling.type \"yarn\"", [](SpecFile& f) { f.string("llama.rope.scaling.type", "yarn"); }},
      {"llama.rope.scaling.type \"longrope\"", [](SpecFile& f) { f.string("llama.rope.scaling.type", "longrope"); }},
      {"llama.attention.value_length is 8", [](SpecFile& f) { f.u32("llama.attention.value_length", 8); }},
      {"tensor \"rope_freqs.weight\" has one value",
       [](SpecFile& f) {
         f.add_vector("rope_freqs.weight", 8);
         f.tensors.back().values.assign(8, 1.0f);
       }},
      {"layers[1].norm.bias is true", [](SpecFile& f) { f.add_vector("blk.1.ffn_norm.bias", 64); }},
  };
  for (const Case& c : cases) {
    SpecFile file = test::file_of(small_llama());
    c.change(file);
    const auto spec = read(file);
    INFO(c.part);
    REQUIRE_FALSE(spec);
    INFO(spec.error().message);
    CHECK(spec.error().code == ErrorCode::unsupported);
    CHECK(spec.error().message.find(std::string("model.gguf: ") + c.part) != std::string::npos);
  }
}

TEST_CASE("what experts need is computed or refused by name") {
  const auto moe = spec_from_shape("layers=2,d_model=32,d_ff=24,heads=2,vocab=50,experts=6,experts_used=2");
  REQUIRE(moe);
  const auto file_with_experts = [&] {
    SpecFile file = test::file_of(*moe);
    file.u32("llama.expert_count", 6);
    file.u32("llama.expert_used_count", 2);
    return file;
  };
  CHECK(diff(read_sound(file_with_experts()), *moe).find("layers") == std::string::npos);
  struct Case {
    const char* part;
    ErrorCode code;
    Change change;
  };
  const Case cases[] = {
      {"key \"llama.expert_used_count\": expected an integer from 1 to 6, found u32 7", ErrorCode::bad_file,
       [](SpecFile& f) { f.u32("llama.expert_used_count", 7); }},
      {"llama.expert_gating_func is 2", ErrorCode::unsupported, [](SpecFile& f) { f.u32("llama.expert_gating_func", 2); }},
      {"tensor \"blk.0.ffn_up.0.weight\" is that of a single expert", ErrorCode::unsupported,
       [](SpecFile& f) { f.tensor("blk.0.ffn_up_exps.weight").name = "blk.0.ffn_up.0.weight"; }},
      {"layers[0].ffn.scale is nan", ErrorCode::bad_file,
       [](SpecFile& f) { f.f32("llama.expert_weights_scale", std::numeric_limits<float>::quiet_NaN()); }},
  };
  for (const Case& c : cases) {
    SpecFile file = file_with_experts();
    c.change(file);
    const auto spec = read(file);
    INFO(c.part);
    REQUIRE_FALSE(spec);
    INFO(spec.error().message);
    CHECK(spec.error().code == c.code);
    CHECK(spec.error().message.find(c.part) != std::string::npos);
  }
  SpecFile without = test::file_of(*spec_from_shape("family=qwen3,layers=2,d_model=32,d_ff=24,heads=2,vocab=50"));
  without.u32("qwen3.expert_count", 8);
  const auto refused = read(without);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("qwen3.expert_count is 8, which is not supported") != std::string::npos);
}

TEST_CASE("metadata that makes no sense is answered with the key or field") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto huge_int = [](const char* key) {
    return Change([key](SpecFile& f) { f.set(key, gguf::ValueType::u64, std::numeric_limits<std::uint64_t>::max()); });
  };
  struct Case {
    const char* part;
    Change change;
  };
  const Case cases[] = {
      {"layers[0].residual_scale", [](SpecFile& f) { f.f32("llama.residual_scale", std::numeric_limits<float>::quiet_NaN()); }},
      {"layers[0].attention.softcap", [](SpecFile& f) { f.f32("llama.attn_logit_softcapping", -1); }},
      {"general.architecture", [](SpecFile& f) { f.keys.erase("general.architecture"); }},
      {"general.architecture", [](SpecFile& f) { f.u32("general.architecture", 3); }},
      {"llama.block_count", [](SpecFile& f) { f.keys.erase("llama.block_count"); }},
      {"llama.block_count", [](SpecFile& f) { f.u32("llama.block_count", 0); }},
      {"llama.block_count", [](SpecFile& f) { f.u32("llama.block_count", 1u << 31); }},
      {"llama.block_count", [](SpecFile& f) { f.string("llama.block_count", "2"); }},
      {"llama.block_count", [](SpecFile& f) { f.set("llama.block_count", gguf::ValueType::i32, -1); }},
      {"llama.block_count", huge_int("llama.block_count")},
      {"llama.embedding_length", [](SpecFile& f) { f.u32("llama.embedding_length", 0); }},
      {"llama.embedding_length", huge_int("llama.embedding_length")},
      {"llama.context_length", [](SpecFile& f) { f.u32("llama.context_length", 0); }},
      {"llama.context_length", huge_int("llama.context_length")},
      {"llama.context_length", [](SpecFile& f) { f.keys.erase("llama.context_length"); }},
      {"llama.feed_forward_length", [](SpecFile& f) { f.u32("llama.feed_forward_length", 0); }},
      {"llama.feed_forward_length", [](SpecFile& f) { f.i32s("llama.feed_forward_length", {96}); }},
      {"llama.feed_forward_length", [](SpecFile& f) { f.i32s("llama.feed_forward_length", {}); }},
      {"llama.feed_forward_length[1] is -96",
       [](SpecFile& f) {
         f.i32s("llama.feed_forward_length", {96, -96});
       }},
      {"llama.feed_forward_length",
       [](SpecFile& f) {
         f.strings("llama.feed_forward_length", {"96", "96"});
       }},
      {"llama.attention.head_count", [](SpecFile& f) { f.u32("llama.attention.head_count", 0); }},
      {"llama.attention.head_count is 5, expected a divisor", [](SpecFile& f) { f.u32("llama.attention.head_count", 5); }},
      {"llama.attention.head_count", huge_int("llama.attention.head_count")},
      {"llama.attention.head_count_kv", [](SpecFile& f) { f.u32("llama.attention.head_count_kv", 0); }},
      {"layers[0].attention.n_kv_heads is 3", [](SpecFile& f) { f.u32("llama.attention.head_count_kv", 3); }},
      {"layers[1].attention.n_kv_heads is 3",
       [](SpecFile& f) {
         f.i32s("llama.attention.head_count_kv", {2, 3});
       }},
      {"llama.attention.key_length",
       [](SpecFile& f) {
         f.i32s("llama.attention.head_count", {4, 2});
       }}, // missing where it cannot be derived
      {"llama.attention.key_length", [](SpecFile& f) { f.u32("llama.attention.key_length", 0); }},
      {"llama.attention.key_length", huge_int("llama.attention.key_length")},
      {"layers[0].attention.scale is -1", [](SpecFile& f) { f.f32("llama.attention.scale", -1); }},
      {"llama.attention.layer_norm_rms_epsilon", [](SpecFile& f) { f.keys.erase("llama.attention.layer_norm_rms_epsilon"); }},
      {"layers[0].norm.eps is -1", [](SpecFile& f) { f.f32("llama.attention.layer_norm_rms_epsilon", -1); }},
      {"layers[0].norm.eps is nan", [](SpecFile& f) { f.f32("llama.attention.layer_norm_rms_epsilon", kNan); }},
      {"llama.attention.layer_norm_rms_epsilon", [](SpecFile& f) { f.u32("llama.attention.layer_norm_rms_epsilon", 1); }},
      {"llama.rope.dimension_count", [](SpecFile& f) { f.u32("llama.rope.dimension_count", 0); }},
      {"llama.rope.dimension_count", [](SpecFile& f) { f.u32("llama.rope.dimension_count", 18); }},
      {"layers[0].attention.rope.dims is 7", [](SpecFile& f) { f.u32("llama.rope.dimension_count", 7); }},
      {"layers[0].attention.rope.base is -10000", [](SpecFile& f) { f.f32("llama.rope.freq_base", -10000); }},
      {"layers[0].attention.rope.base is 0", [](SpecFile& f) { f.f32("llama.rope.freq_base", 0); }},
      {"layers[0].attention.rope.base is nan", [](SpecFile& f) { f.f32("llama.rope.freq_base", kNan); }},
      {"layers[0].attention.rope.factors[0] is 0", [](SpecFile& f) { f.f32("llama.rope.scaling.factor", 0); }},
      {"layers[0].attention.rope.factors[0] is -2", [](SpecFile& f) { f.f32("llama.rope.scaling.factor", -2); }},
      {"layers[0].attention.rope.factors[0] is nan", [](SpecFile& f) { f.f32("llama.rope.scaling.factor", kNan); }},
      {"llama.rope.scaling.type", [](SpecFile& f) { f.u32("llama.rope.scaling.type", 1); }},
      {"layers[0].attention.rope.factors[3] is -1",
       [](SpecFile& f) {
         f.add_vector("rope_freqs.weight", 8);
         f.tensors.back().values = {1, 1, 1, -1, 1, 1, 1, 1};
       }},
      {"layers[0].attention.rope.factors[3] is inf",
       [](SpecFile& f) {
         f.add_vector("rope_freqs.weight", 8);
         f.tensors.back().values = {1, 1, 1, std::numeric_limits<float>::infinity(), 1, 1, 1, 1};
       }},
      {"tensor \"rope_freqs.weight\" should have the shape [8]", [](SpecFile& f) { f.add_vector("rope_freqs.weight", 7); }},
      {"tensor \"token_embd.weight\" is missing", [](SpecFile& f) { f.remove_tensor("token_embd.weight"); }},
      {"tensor \"token_embd.weight\" has 0 rows", [](SpecFile& f) { f.tensor("token_embd.weight").n_rows = 0; }},
      {"llama.vocab_size is 101", [](SpecFile& f) { f.u32("llama.vocab_size", 101); }},
      {"tokenizer.ggml.tokens has 101 entries",
       [](SpecFile& f) { f.strings("tokenizer.ggml.tokens", std::vector<std::string>(101, "x")); }},
      {"llama.expert_count", [](SpecFile& f) { f.string("llama.expert_count", "none"); }},
      {"llama.attention.sliding_window",
       [](SpecFile& f) {
         f.i32s("llama.attention.sliding_window", {0, 64});
       }},
  };
  for (const Case& c : cases) {
    SpecFile file = test::file_of(small_llama());
    c.change(file);
    const auto spec = read(file);
    INFO(c.part);
    REQUIRE_FALSE(spec);
    INFO(spec.error().message);
    CHECK(spec.error().code == ErrorCode::bad_file);
    CHECK(spec.error().message.find("model.gguf") != std::string::npos);
    CHECK(spec.error().message.find(c.part) != std::string::npos);
  }
}

TEST_CASE("a name from a file is cut and kept to one line") {
  SpecFile file = test::file_of(small_llama());
  file.string("general.name", "a\nb\x1b[31m" + std::string(100000, 'x'));
  const ModelSpec spec = read_sound(file);
  CHECK(spec.name.size() == 200);
  CHECK(spec.name.starts_with("a b [31mx"));
}

TEST_CASE("a published file is read") {
  const auto path = shared_file("models/stories260K.gguf");
  if (!path) return;
  const auto file = gguf::File::open(*path);
  REQUIRE(file);
  const auto spec = spec::read_spec(*file);
  INFO((spec ? std::string() : spec.error().message));
  REQUIRE(spec);
  CHECK(spec->family == "llama");
  CHECK(spec->d_model == 64);
  CHECK(spec->layers.size() == 5);
  CHECK(spec->layers[0].attention()->n_heads == 8);
  CHECK(spec->layers[0].attention()->n_kv_heads == 4);
  CHECK(spec->layers[0].attention()->rope->style == RopeStyle::interleaved);
  CHECK(spec->n_vocab == 512);
  for (const weights::TensorDesc& tensor : weights::list_tensors(*spec)) {
    INFO(tensor.name);
    REQUIRE(file->find_tensor(tensor.name));
    CHECK(file->find_tensor(tensor.name)->n_rows() == tensor.n_rows);
    CHECK(file->find_tensor(tensor.name)->n_cols() == tensor.n_cols);
  }
}

TEST_CASE("whatever the values of a sound file's keys are, the answer is a valid spec or an error") {
  std::uint64_t state = 1;
  const auto draw = [&](std::uint64_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % n;
  };
  const std::uint32_t numbers[] = {0,   1,   2,    3,          4,          8,          16,         63,         64,        65,
                                   100, 128, 1024, 0x7fffffff, 0x80000000, 0xffffffff, 0x7f800000, 0x7fc00000, 0x3f800000};
  const gguf::ValueType types[] = {gguf::ValueType::u32, gguf::ValueType::i32, gguf::ValueType::f32};
  const test::TempDir dir;
  int n_valid = 0;
  for (const char* text : {"family=llama,layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=100",
                           "family=gpt2,layers=2,d_model=64,d_ff=96,heads=4,vocab=50,ctx=64",
                           "family=phi2,layers=2,d_model=64,d_ff=96,heads=2,vocab=100"}) {
    const SpecFile sound = test::file_of(shape(text));
    std::vector<std::string> keys;
    for (const auto& [key, value] : sound.keys) keys.push_back(key);
    for (const char* more : {"rope.scaling.factor", "expert_count", "attention.sliding_window", "attention.scale",
                             "attention.key_length", "vocab_size"})
      keys.push_back(keys.back().substr(0, keys.back().find('.') + 1) + more);
    for (int round = 0; round < 300; ++round) {
      SpecFile file = sound;
      for (std::uint64_t n = 1 + draw(3); n > 0; --n) {
        const std::string& key = keys[draw(keys.size())];
        const gguf::ValueType type = types[draw(3)];
        file.set(key, type, numbers[draw(std::size(numbers))]);
      }
      if (draw(4) == 0) file.tensors.erase(file.tensors.begin() + static_cast<std::ptrdiff_t>(draw(file.tensors.size())));
      const auto opened = gguf::File::open(dir.write("model.gguf", file.build()));
      REQUIRE(opened);
      const auto spec = spec::read_spec(*opened);
      if (!spec) continue;
      ++n_valid;
      REQUIRE(validate(*spec));
      REQUIRE_FALSE(weights::list_tensors(*spec).empty());
    }
  }
  CHECK(n_valid > 50);
}

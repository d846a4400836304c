#include "tests/catch.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

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

/// Each change of the file is refused with its message.
void refuse_changes(const SpecFile& file, std::span<const std::pair<Change, const char*>> cases) {
  for (const auto& [change, message] : cases) {
    SpecFile spoilt = file;
    change(spoilt);
    const auto refused = read(spoilt);
    INFO(message);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::bad_file);
    INFO(refused.error().message);
    CHECK(refused.error().message.find(message) != std::string::npos);
  }
}

} // namespace

TEST_CASE("families miss what they need by name") {
  SpecFile file = test::file_of(shape("family=gpt2,layers=2,d_model=64,d_ff=256,heads=4,vocab=100,ctx=50"));
  file.u32("gpt2.context_length", 51);
  auto spec = read(file);
  REQUIRE_FALSE(spec);
  CHECK(spec.error().message.find("embedding.n_positions is 50, expected 51 to") != std::string::npos);
  file.remove_tensor("position_embd.weight");
  spec = read(file);
  REQUIRE_FALSE(spec);
  CHECK(spec.error().message.find("tensor \"position_embd.weight\" is missing") != std::string::npos);

  file = test::file_of(shape("family=phi2,layers=2,d_model=160,d_ff=96,heads=2,vocab=100"));
  file.keys.erase("phi2.rope.dimension_count");
  spec = read(file);
  REQUIRE_FALSE(spec);
  CHECK(spec.error().message.find("phi2.rope.dimension_count") != std::string::npos);
  file = test::file_of(shape("family=phi2,layers=2,d_model=160,d_ff=96,heads=2,vocab=100"));
  file.boolean("phi2.use_parallel_residual", false);
  spec = read(file);
  REQUIRE_FALSE(spec);
  CHECK(spec.error().message.find("phi2.use_parallel_residual is false") != std::string::npos);

  // here the key says which of two layers it is; whoever leaves it out means the usual one
  file = test::file_of(shape("family=gptneox,layers=2,d_model=64,d_ff=96,heads=2,vocab=100"));
  CHECK(read_sound(file).layers[1].residual == Residual::parallel);
  file.boolean("gptneox.use_parallel_residual", false);
  CHECK(read_sound(file).layers[1].residual == Residual::sequential);
  file = test::file_of(shape("family=gpt2,layers=2,d_model=64,d_ff=96,heads=2,vocab=100"));
  file.boolean("gpt2.use_parallel_residual", true);
  spec = read(file);
  REQUIRE_FALSE(spec);
  CHECK(spec.error().message.find("gpt2.use_parallel_residual is true") != std::string::npos);
}

TEST_CASE("layers share weights and activations differ as keys say") {
  const SpecFile sound = test::file_of(small_llama());
  const auto refused = [](const SpecFile& file) {
    const auto spec = read(file);
    REQUIRE_FALSE(spec);
    return spec.error().message;
  };
  SpecFile file = sound;
  file.string("llama.feed_forward_activation", "relu");
  CHECK(read_sound(file).layers[1].ffn->activation == Activation::relu);
  file.string("llama.feed_forward_activation", "tanh");
  CHECK(refused(file).find("llama.feed_forward_activation \"tanh\" is not supported; supported: silu, ") != std::string::npos);

  const auto n = static_cast<std::int32_t>(small_llama().layers.size());
  std::vector<std::int32_t> from(static_cast<std::size_t>(n), -1);
  from[1] = 0;
  file = sound;
  file.i32s("llama.mixer_from", from);
  file.i32s("llama.feed_forward_from", from);
  CHECK(read_sound(file).layers[1].mixer_from == 0);
  CHECK(read_sound(file).layers[1].ffn_from == 0);
  from[0] = 1;
  file.i32s("llama.feed_forward_from", from);
  CHECK(refused(file).find("layers[0].ffn_from is 1, expected 0 to -1") != std::string::npos);
  from[0] = n;
  file.i32s("llama.feed_forward_from", from);
  CHECK(refused(file).find("llama.feed_forward_from[0] is " + std::to_string(n)) != std::string::npos);
  from = {-1};
  file.i32s("llama.feed_forward_from", from);
  CHECK(refused(file).find("llama.feed_forward_from has 1 values") != std::string::npos);

  file = test::file_of(shape("family=qwen,layers=2,d_model=64,d_ff=97,heads=2,vocab=100"));
  CHECK(refused(file).find("qwen.feed_forward_length is 97, expected an even number") != std::string::npos);
}

TEST_CASE("stablelm files are told apart by their tensors") {
  const SpecFile sound = test::file_of(shape("family=stablelm,layers=2,d_model=64,d_ff=96,heads=2,vocab=100"));
  SpecFile file = sound;
  file.boolean("stablelm.use_parallel_residual", true); // what the converter writes where the model's config is silent
  CHECK(read_sound(file).layers[1].residual == Residual::sequential);
  const ModelSpec other = shape(
      "family=stablelm,layers=2,d_model=64,d_ff=96,heads=2,kv_heads=1,vocab=100,qk_norm=1,"
      "qk_norm_scope=each_head,residual=parallel_shared");
  ModelSpec read_back = read_sound(test::file_of(other));
  read_back.name = other.name;
  CHECK(diff(other, read_back) == "");
  file = sound;
  file.remove_tensor("blk.0.ffn_norm.weight");
  CHECK(read_sound(file).layers[1].residual == Residual::parallel_shared);
}

TEST_CASE("the sizes of recurrent layers are read, and refused by key") {
  const ModelSpec spec =
      shape("family=mamba2,layers=2,d_model=64,d_inner=90,ssm_heads=6,ssm_groups=3,d_state=7,vocab=100,ctx=50");
  SpecFile file;
  file.string("general.architecture", "mamba2");
  const std::pair<const char*, std::uint32_t> keys[] = {
      {"block_count", 2},          {"context_length", 50}, {"embedding_length", 64}, {"feed_forward_length", 0},
      {"attention.head_count", 0}, {"ssm.inner_size", 90}, {"ssm.state_size", 7},    {"ssm.time_step_rank", 6},
      {"ssm.group_count", 3},      {"ssm.conv_kernel", 4}};
  for (const auto& [key, value] : keys) file.u32(std::string("mamba2.") + key, value);
  file.f32("mamba2.attention.layer_norm_rms_epsilon", 1e-5f);
  file.tensors = weights::list_tensors(spec);
  ModelSpec found = read_sound(file);
  found.name = spec.name;
  CHECK(diff(found, spec) == "");

  const std::pair<Change, const char*> cases[] = {
      {[](SpecFile& f) { f.u32("mamba2.ssm.time_step_rank", 7); },
       "mamba2.ssm.time_step_rank is 7, expected a divisor of 90, the inner size"},
      {[](SpecFile& f) { f.u32("mamba2.ssm.group_count", 4); }, "mamba2.n_groups is 4, expected a divisor of n_heads 6"},
      {[](SpecFile& f) { f.u32("mamba2.ssm.state_size", 1 << 30); }, "mamba2.ssm.state_size"},
      {[](SpecFile& f) { f.u32("mamba2.ssm.conv_kernel", 0); }, "mamba2.ssm.conv_kernel"},
      {[](SpecFile& f) { f.keys.erase("mamba2.ssm.inner_size"); }, "mamba2.ssm.inner_size"},
  };
  refuse_changes(file, cases);
}

TEST_CASE("the keys of shared blocks are read, and refused by key") {
  const ModelSpec spec = shape(
      "family=zamba2,layers=3,d_model=64,d_inner=90,ssm_heads=6,d_state=7,heads=4,d_ff=70,attention_layers=1:2,vocab=100,ctx=50,"
      "ffn_rank=5,rope_style=halves");
  SpecFile file;
  file.string("general.architecture", "zamba2");
  const std::pair<const char*, std::uint32_t> keys[] = {
      {"block_count", 3},           {"context_length", 50},       {"embedding_length", 64}, {"feed_forward_length", 70},
      {"attention.head_count", 4},  {"attention.key_length", 32}, {"ssm.inner_size", 90},   {"ssm.state_size", 7},
      {"ssm.time_step_rank", 6},    {"ssm.group_count", 1},       {"ssm.conv_kernel", 4},   {"shared_block.count", 1},
      {"shared_block.ffn_rank", 5}, {"rope.dimension_count", 32}};
  for (const auto& [key, value] : keys) file.u32(std::string("zamba2.") + key, value);
  file.f32("zamba2.attention.layer_norm_rms_epsilon", 1e-5f);
  file.f32("zamba2.attention.scale", 0.25f);
  const std::vector<std::int32_t> kv_heads{0, 4, 4};
  file.i32s("zamba2.attention.head_count_kv", kv_heads);
  file.tensors = weights::list_tensors(spec);
  ModelSpec found = read_sound(file);
  found.name = spec.name;
  CHECK(diff(found, spec) == "");

  const std::pair<Change, const char*> cases[] = {
      {[](SpecFile& f) { f.u32("zamba2.shared_block.count", 0); }, "zamba2.shared_block.count"},
      {[](SpecFile& f) { f.keys.erase("zamba2.shared_block.count"); }, "zamba2.shared_block.count"},
      {[](SpecFile& f) { f.u32("zamba2.shared_block.ffn_rank", 1 << 30); }, "zamba2.shared_block.ffn_rank"},
      {[](SpecFile& f) { f.u32("zamba2.feed_forward_length", 0); }, "block.ffn.d_ff is 0"},
  };
  refuse_changes(file, cases);
  file.string("zamba2.rope.scaling.type", "yarn"); // the first layer has no attention
  const auto refused = read(file);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
}

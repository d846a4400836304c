#include "tests/catch.h"

#include <set>
#include <string>
#include <vector>

#include "lib/weights/tensors.h"
#include "mote/spec.h"

namespace {

using namespace mote;
using weights::TensorDesc;

std::vector<TensorDesc> tensors_of(const std::string& shape) {
  const auto spec = spec_from_shape(shape);
  INFO(shape << ": " << (spec ? std::string() : spec.error().message));
  REQUIRE(spec);
  return weights::list_tensors(*spec);
}

/// "name [rows, cols]" of the model's own tensors and of layer 1; of layer 0 only the count is looked at.
std::vector<std::string> listing(const std::vector<TensorDesc>& tensors) {
  std::vector<std::string> lines;
  std::size_t n_first = 0, n_second = 0;
  for (const TensorDesc& t : tensors) {
    n_first += t.layer == 0;
    n_second += t.layer == 1;
    if (t.layer != 0) lines.push_back(t.name + " " + std::to_string(t.n_rows) + "x" + std::to_string(t.n_cols));
    CHECK((t.form == weights::Form::bias) == t.name.ends_with(".bias"));
    CHECK((t.layer >= 0) == t.name.starts_with("blk." + std::to_string(t.layer) + "."));
  }
  CHECK(n_first == n_second);
  return lines;
}

} // namespace

TEST_CASE("tensors have the names and shapes of files of their family") {
  CHECK(listing(tensors_of("layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=100")) ==
        std::vector<std::string>{"token_embd.weight 100x64", "blk.1.attn_norm.weight 1x64", "blk.1.attn_q.weight 64x64",
                                 "blk.1.attn_k.weight 32x64", "blk.1.attn_v.weight 32x64", "blk.1.attn_output.weight 64x64",
                                 "blk.1.ffn_norm.weight 1x64", "blk.1.ffn_gate.weight 96x64", "blk.1.ffn_up.weight 96x64",
                                 "blk.1.ffn_down.weight 64x96", "output_norm.weight 1x64", "output.weight 100x64"});
  CHECK(listing(tensors_of("family=qwen2,layers=2,d_model=64,d_ff=96,heads=4,kv_heads=1,vocab=100,tied=1")) ==
        std::vector<std::string>{"token_embd.weight 100x64", "blk.1.attn_norm.weight 1x64", "blk.1.attn_q.weight 64x64",
                                 "blk.1.attn_q.bias 1x64", "blk.1.attn_k.weight 16x64", "blk.1.attn_k.bias 1x16",
                                 "blk.1.attn_v.weight 16x64", "blk.1.attn_v.bias 1x16", "blk.1.attn_output.weight 64x64",
                                 "blk.1.ffn_norm.weight 1x64", "blk.1.ffn_gate.weight 96x64", "blk.1.ffn_up.weight 96x64",
                                 "blk.1.ffn_down.weight 64x96", "output_norm.weight 1x64"});
  CHECK(listing(tensors_of("family=qwen3,layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,head_dim=32,vocab=100,tied=1")) ==
        std::vector<std::string>{"token_embd.weight 100x64", "blk.1.attn_norm.weight 1x64", "blk.1.attn_q.weight 128x64",
                                 "blk.1.attn_k.weight 64x64", "blk.1.attn_v.weight 64x64", "blk.1.attn_q_norm.weight 1x32",
                                 "blk.1.attn_k_norm.weight 1x32", "blk.1.attn_output.weight 64x128", "blk.1.ffn_norm.weight 1x64",
                                 "blk.1.ffn_gate.weight 96x64", "blk.1.ffn_up.weight 96x64", "blk.1.ffn_down.weight 64x96",
                                 "output_norm.weight 1x64"});
  CHECK(listing(tensors_of("family=gpt2,layers=2,d_model=64,d_ff=256,heads=4,vocab=100,ctx=50")) ==
        std::vector<std::string>{"token_embd.weight 100x64", "position_embd.weight 50x64", "blk.1.attn_norm.weight 1x64",
                                 "blk.1.attn_norm.bias 1x64", "blk.1.attn_qkv.weight 192x64", "blk.1.attn_qkv.bias 1x192",
                                 "blk.1.attn_output.weight 64x64", "blk.1.attn_output.bias 1x64", "blk.1.ffn_norm.weight 1x64",
                                 "blk.1.ffn_norm.bias 1x64", "blk.1.ffn_up.weight 256x64", "blk.1.ffn_up.bias 1x256",
                                 "blk.1.ffn_down.weight 64x256", "blk.1.ffn_down.bias 1x64", "output_norm.weight 1x64",
                                 "output_norm.bias 1x64"});
  CHECK(listing(tensors_of("family=phi2,layers=2,d_model=64,d_ff=256,heads=4,vocab=100,qkv=separate")) ==
        std::vector<std::string>{
            "token_embd.weight 100x64", "blk.1.attn_norm.weight 1x64", "blk.1.attn_norm.bias 1x64", "blk.1.attn_q.weight 64x64",
            "blk.1.attn_q.bias 1x64", "blk.1.attn_k.weight 64x64", "blk.1.attn_k.bias 1x64", "blk.1.attn_v.weight 64x64",
            "blk.1.attn_v.bias 1x64", "blk.1.attn_output.weight 64x64", "blk.1.attn_output.bias 1x64",
            "blk.1.ffn_up.weight 256x64", "blk.1.ffn_up.bias 1x256", "blk.1.ffn_down.weight 64x256", "blk.1.ffn_down.bias 1x64",
            "output_norm.weight 1x64", "output_norm.bias 1x64", "output.weight 100x64", "output.bias 1x100"});
  CHECK(listing(tensors_of("family=gptneox,layers=2,d_model=64,d_ff=256,heads=4,vocab=100")) ==
        std::vector<std::string>{"token_embd.weight 100x64", "blk.1.attn_norm.weight 1x64", "blk.1.attn_norm.bias 1x64",
                                 "blk.1.attn_qkv.weight 192x64", "blk.1.attn_qkv.bias 1x192", "blk.1.attn_output.weight 64x64",
                                 "blk.1.attn_output.bias 1x64", "blk.1.ffn_norm.weight 1x64", "blk.1.ffn_norm.bias 1x64",
                                 "blk.1.ffn_up.weight 256x64", "blk.1.ffn_up.bias 1x256", "blk.1.ffn_down.weight 64x256",
                                 "blk.1.ffn_down.bias 1x64", "output_norm.weight 1x64", "output_norm.bias 1x64",
                                 "output.weight 100x64"});
}

TEST_CASE("fused projections of grouped heads have the rows of all three") {
  const auto tensors = tensors_of("layers=1,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=100,qkv=fused,ffn_bias=1");
  REQUIRE(tensors.size() == 13);
  CHECK(tensors[2].name == "blk.0.attn_qkv.weight");
  CHECK(tensors[2].n_rows == 64 + 2 * 32);
  CHECK(tensors[6].name == "blk.0.ffn_gate.bias");
  CHECK(tensors[6].n_cols == 96);
}

TEST_CASE("frequency factors are a tensor when they differ from each other") {
  const std::string base = "layers=2,d_model=72,d_ff=96,heads=2,vocab=100,rope_base=500000";
  CHECK(tensors_of(base).size() == tensors_of(base + ",rope_scaling=linear:4").size());
  const auto tensors = tensors_of(base + ",rope_scaling=llama3:32:1:4:8192");
  REQUIRE(tensors[1].name == "rope_freqs.weight");
  CHECK(tensors[1].n_cols == 18);
  CHECK_FALSE(tensors[1].is_matrix());
  REQUIRE(tensors[1].values.size() == 18);
  CHECK(tensors[1].values.front() == 1.0f);
  CHECK(tensors[1].values.back() == 32.0f);
}

TEST_CASE("matrices of a single row are matrices") {
  for (const TensorDesc& t : tensors_of("layers=1,d_model=2,d_ff=1,heads=1,vocab=1,rope_style=none")) {
    INFO(t.name);
    CHECK(t.is_matrix() == (t.name.find("norm") == std::string::npos));
  }
}

TEST_CASE("the tensors of every preset have names of their own") {
  for (const Preset& preset : all_presets()) {
    if (preset.shape.empty()) continue;
    const ModelSpec spec = *spec_from_preset(preset.name);
    std::set<std::string> names;
    INFO(preset.name);
    for (const TensorDesc& t : weights::list_tensors(spec)) {
      CHECK(names.insert(t.name).second);
      CHECK(t.name.size() < 64);
    }
  }
}

#include "tests/catch.h"

#include <map>
#include <string>
#include <vector>

#include "lib/weights/tensors.h"
#include "mote/spec.h"

namespace {

using namespace mote;
using enum TensorType;

struct Typed {
  std::vector<weights::TensorDesc> tensors;
  std::map<std::string, std::string> types; ///< by tensor name
  std::string of(const std::string& name) const {
    const auto at = types.find(name);
    return at == types.end() ? "no such tensor" : at->second;
  }
  /// The layers in which this tensor has this type.
  std::vector<int> layers(const std::string& tensor, const std::string& type) const {
    std::vector<int> found;
    for (int i = 0; types.contains("blk." + std::to_string(i) + "." + tensor); ++i)
      if (of("blk." + std::to_string(i) + "." + tensor) == type) found.push_back(i);
    return found;
  }
};

Typed typed(const std::string& shape, Mix mix) {
  const auto spec = spec_from_shape(shape);
  INFO(shape << ": " << (spec ? std::string() : spec.error().message));
  REQUIRE(spec);
  Typed result{weights::list_tensors(*spec), {}};
  const auto types = weights::choose_types(result.tensors, *spec, mix);
  REQUIRE(types.size() == result.tensors.size());
  for (std::size_t i = 0; i < types.size(); ++i) result.types[result.tensors[i].name] = type_info(types[i]).name;
  return result;
}

} // namespace

TEST_CASE("plain mixes have one type for matrices, vectors and positions stay F32") {
  const std::string gpt2 = "family=gpt2,layers=2,d_model=256,d_ff=1024,heads=4,vocab=100,ctx=50";
  for (const auto& [mix, name] :
       {std::pair{Mix::F32, "F32"}, std::pair{Mix::F16, "F16"}, std::pair{Mix::Q8_0, "Q8_0"}, std::pair{Mix::Q6_K, "Q6_K"}}) {
    const Typed model = typed(gpt2, mix);
    for (const auto& tensor : model.tensors) {
      INFO(tensor.name << " in " << name);
      const bool plain = !tensor.is_matrix() || tensor.role == weights::Role::pos_embd;
      CHECK(model.of(tensor.name) == (plain ? "F32" : name));
    }
  }
}

TEST_CASE("Q4_K_M of a model of 24 layers: the layers that get more bits are those of published files") {
  const Typed model = typed("layers=24,d_model=2048,d_ff=5632,heads=32,kv_heads=4,vocab=32000", Mix::Q4_K_M);
  CHECK(model.of("token_embd.weight") == "Q4_K");
  CHECK(model.of("output.weight") == "Q6_K");
  const std::vector<int> more{0, 1, 2, 5, 8, 11, 14, 17, 20, 21, 22, 23};
  CHECK(model.layers("attn_v.weight", "Q6_K") == more);
  CHECK(model.layers("ffn_down.weight", "Q6_K") == more);
  CHECK(model.layers("attn_v.weight", "Q4_K").size() == 12);
  for (const char* tensor : {"attn_q.weight", "attn_k.weight", "attn_output.weight", "ffn_gate.weight", "ffn_up.weight"})
    CHECK(model.layers(tensor, "Q4_K").size() == 24);
  CHECK(model.layers("attn_norm.weight", "F32").size() == 24);
  // 22 layers: the ends are 2 and 3 layers long
  CHECK(typed("layers=22,d_model=256,d_ff=512,heads=4,vocab=100", Mix::Q4_K_M).layers("ffn_down.weight", "Q6_K") ==
        std::vector<int>{0, 1, 4, 7, 10, 13, 16, 19, 20, 21});
}

TEST_CASE("the other K mixes") {
  const std::string shape = "layers=32,d_model=512,d_ff=1536,heads=8,vocab=100";
  const Typed q5 = typed(shape, Mix::Q5_K_M);
  CHECK(q5.of("token_embd.weight") == "Q5_K");
  CHECK(q5.of("output.weight") == "Q6_K");
  CHECK(q5.layers("attn_v.weight", "Q6_K") == std::vector<int>{0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31});
  CHECK(q5.layers("attn_q.weight", "Q5_K").size() == 32);

  const Typed q4s = typed(shape, Mix::Q4_K_S);
  CHECK(q4s.layers("attn_v.weight", "Q5_K") == std::vector<int>{0, 1, 2, 3});
  CHECK(q4s.layers("ffn_down.weight", "Q5_K") == std::vector<int>{0, 1, 2, 3});
  CHECK(q4s.layers("attn_output.weight", "Q4_K").size() == 32);

  const Typed q3 = typed(shape, Mix::Q3_K_M);
  CHECK(q3.of("token_embd.weight") == "Q3_K");
  CHECK(q3.of("output.weight") == "Q6_K");
  CHECK(q3.layers("attn_v.weight", "Q5_K") == std::vector<int>{0, 1});
  CHECK(q3.layers("attn_v.weight", "Q4_K").size() == 30);
  CHECK(q3.layers("ffn_down.weight", "Q5_K") == std::vector<int>{0, 1});
  CHECK(q3.layers("ffn_down.weight", "Q4_K").size() == 30);
  CHECK(q3.layers("attn_output.weight", "Q4_K").size() == 32);
  CHECK(q3.layers("attn_k.weight", "Q3_K").size() == 32);
}

TEST_CASE("Q4_0 with a better output matrix") {
  const Typed model = typed("layers=4,d_model=512,d_ff=1536,heads=8,vocab=100", Mix::Q4_0);
  CHECK(model.of("output.weight") == "Q6_K");
  for (const char* tensor : {"attn_q", "attn_v", "attn_output", "ffn_up", "ffn_down"})
    CHECK(model.layers(std::string(tensor) + ".weight", "Q4_0").size() == 4);
  CHECK(model.of("token_embd.weight") == "Q4_0");
}

TEST_CASE("fused projections have a rule of their own") {
  const std::string shape = "family=phi2,layers=8,d_model=512,d_ff=2048,heads=8,vocab=100";
  CHECK(typed(shape, Mix::Q3_K_M).layers("attn_qkv.weight", "Q4_K").size() == 8);
  CHECK(typed(shape, Mix::Q4_K_S).layers("attn_qkv.weight", "Q4_K").size() == 8);
  CHECK(typed(shape, Mix::Q4_K_M).layers("attn_qkv.weight", "Q5_K").size() == 8);
  CHECK(typed(shape, Mix::Q5_K_M).layers("attn_qkv.weight", "Q6_K").size() == 8);
  CHECK(typed(shape, Mix::Q4_0).layers("attn_qkv.weight", "Q4_0").size() == 8);
}

TEST_CASE("experts: routers stay F32, the layer's number counts for ffn_down, 8 experts raise the attention") {
  const std::string shape = "layers=16,d_model=512,d_ff=768,heads=8,vocab=100,experts_used=2,shared_d_ff=256,shared_gate=1,";
  const Typed many = typed(shape + "experts=9", Mix::Q4_K_M);
  CHECK(many.layers("ffn_gate_inp.weight", "F32").size() == 16);
  CHECK(many.layers("ffn_gate_inp_shexp.weight", "F32").size() == 16);
  CHECK(many.layers("ffn_up_exps.weight", "Q4_K").size() == 16);
  const std::vector<int> more{0, 1, 4, 7, 10, 13, 14, 15};
  for (const char* tensor : {"ffn_down_exps.weight", "ffn_down_shexp.weight", "attn_v.weight"})
    CHECK(many.layers(tensor, "Q6_K") == more);
  CHECK(many.layers("attn_k.weight", "Q4_K").size() == 16);
  const Typed eight = typed(shape + "experts=8", Mix::Q4_K_M);
  CHECK(eight.layers("ffn_down_exps.weight", "Q6_K") == more);
  for (const char* tensor : {"attn_k.weight", "attn_v.weight"}) CHECK(eight.layers(tensor, "Q8_0").size() == 16);
  CHECK(eight.layers("attn_output.weight", "Q5_K").size() == 16);
  CHECK(eight.layers("attn_q.weight", "Q4_K").size() == 16);
  CHECK(typed(shape + "experts=8", Mix::Q6_K).layers("attn_output.weight", "Q6_K").size() == 16);
  CHECK(typed(shape + "experts=8", Mix::F16).layers("attn_v.weight", "F16").size() == 16);
}

TEST_CASE("a tied embedding has the type of the output matrix") {
  CHECK(typed("layers=1,d_model=512,d_ff=1536,heads=8,vocab=100,tied=1", Mix::Q4_K_M).of("token_embd.weight") == "Q6_K");
  CHECK(typed("layers=1,d_model=512,d_ff=1536,heads=8,vocab=100,tied=1", Mix::Q8_0).of("token_embd.weight") == "Q8_0");
  CHECK(typed("layers=1,d_model=512,d_ff=1536,heads=8,vocab=100,tied=1", Mix::F16).of("token_embd.weight") == "F16");
}

TEST_CASE("rows of 896 weights fall back as in the published Qwen2.5-0.5B") {
  const Typed model = typed("base=qwen2.5-0.5b", Mix::Q4_K_M);
  CHECK(model.of("token_embd.weight") == "Q8_0");
  CHECK(model.layers("attn_q.weight", "Q5_0").size() == 24);
  CHECK(model.layers("ffn_up.weight", "Q5_0").size() == 24);
  CHECK(model.layers("attn_v.weight", "Q8_0") == std::vector<int>{0, 1, 2, 5, 8, 11, 14, 17, 20, 21, 22, 23});
  CHECK(model.layers("attn_v.weight", "Q5_0").size() == 12);
  CHECK(model.layers("ffn_down.weight", "Q6_K").size() == 12); // 4864 = 19 * 256
  CHECK(model.layers("ffn_down.weight", "Q4_K").size() == 12);
  CHECK(typed("base=qwen2.5-0.5b", Mix::Q3_K_M).of("blk.3.attn_q.weight") == "Q4_0");
  CHECK(typed("base=qwen2.5-0.5b", Mix::Q5_K_M).of("blk.3.attn_q.weight") == "Q5_1");
  CHECK(typed("base=qwen2.5-0.5b", Mix::Q6_K).of("blk.3.attn_q.weight") == "Q8_0");
  CHECK(typed("base=qwen2.5-0.5b", Mix::Q4_0).of("token_embd.weight") == "Q8_0");
}

TEST_CASE("rows that are no multiple of 32 become F16, and every row is a whole number of blocks") {
  const Typed odd = typed("base=ablation-03", Mix::Q4_K_M); // d_ff 2046
  CHECK(odd.layers("ffn_down.weight", "F16").size() == 9);
  CHECK(odd.layers("ffn_up.weight", "Q4_K").size() == 9);
  for (const Mix mix : all_mixes()) {
    for (const Preset& preset : all_presets()) {
      if (preset.shape.empty()) continue;
      const ModelSpec spec = *spec_from_preset(preset.name);
      const auto tensors = weights::list_tensors(spec);
      const auto types = weights::choose_types(tensors, spec, mix);
      for (std::size_t i = 0; i < types.size(); ++i)
        if (tensors[i].n_cols % type_info(types[i]).block_weights != 0)
          FAIL(preset.name << " " << mix_name(mix) << " " << tensors[i].name);
    }
  }
}

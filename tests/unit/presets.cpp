#include "tests/catch.h"

#include <map>
#include <set>
#include <string>

#include "lib/spec/presets.h"
#include "mote/spec.h"

TEST_CASE("every preset parses, validates and has the published number of parameters") {
  std::set<std::string> names;
  const auto presets = mote::all_presets();
  const auto rows = mote::spec::preset_rows();
  REQUIRE(presets.size() == rows.size());
  REQUIRE(presets.size() >= 60);
  int n_unpublished = 0;
  for (std::size_t i = 0; i < presets.size(); ++i) {
    INFO(presets[i].name << ": " << presets[i].shape);
    CHECK(presets[i].name == rows[i].name);
    CHECK(names.insert(presets[i].name).second);
    const auto spec = mote::spec_from_preset(presets[i].name);
    if (presets[i].shape.empty()) {
      REQUIRE_FALSE(spec);
      CHECK(spec.error().message.find("is not published") != std::string::npos);
      ++n_unpublished;
      continue;
    }
    INFO((spec ? std::string() : spec.error().message));
    REQUIRE(spec);
    CHECK(mote::validate(*spec));
    CHECK(spec->name == presets[i].name);
    CHECK(mote::parameter_count(*spec) == rows[i].n_parameters);

    auto shaped = mote::spec_from_shape(presets[i].shape);
    REQUIRE(shaped);
    shaped->name = spec->name;
    CHECK(*shaped == *spec);
  }
  CHECK(n_unpublished == 2);
}

TEST_CASE("presets say who lists them") {
  std::map<std::string, int> groups;
  for (const mote::Preset& preset : mote::all_presets()) ++groups[preset.group];
  CHECK(groups["table 9"] == 18);
  CHECK(groups["table 1"] >= 40);
  CHECK(groups["surveys"] >= 5);
  CHECK(groups["current"] >= 5);
  CHECK(groups.size() == 4);
}

TEST_CASE("presets keep what makes their family different") {
  const auto preset = [](const char* name) { return *mote::spec_from_preset(name); };
  CHECK(preset("danube3-4b").layers[0].attention()->head_dim == 120);
  CHECK(preset("ablation-04").layers[0].attention()->head_dim == 192);
  CHECK(preset("ablation-04").layers[0].ffn->activation == mote::Activation::relu);
  CHECK(preset("ablation-08").layers[0].ffn->d_ff == 2046);
  CHECK(preset("ablation-17").layers[0].attention()->head_dim == 28);
  CHECK(preset("cerebras-gpt-256m").layers[0].ffn->activation == mote::Activation::gelu_erf);
  CHECK(preset("cerebras-gpt-256m").embedding.n_positions == 2048);
  CHECK(preset("lamini-gpt-774m").layers[0].ffn->activation == mote::Activation::gelu_tanh);
  CHECK(preset("phi-2").layers[0].attention()->rope->dims == 32);
  CHECK(preset("phi-2").layers[0].attention()->head_dim == 80);
  CHECK(preset("pythia-410m").layers[0].attention()->rope->dims == 16);
  CHECK(preset("pythia-1b").layers[0].attention()->rope->dims == 64);
  CHECK(preset("dolly-v2-3b").layers[0].residual == mote::Residual::parallel);
  CHECK(preset("stablelm-zephyr-3b").layers[0].attention()->rope->dims == 20);
  CHECK_FALSE(preset("stablelm-zephyr-3b").layers[0].attention()->qkv_bias);
  CHECK(preset("stablelm-2-zephyr-1.6b").layers[0].attention()->qkv_bias);
  CHECK(preset("stablelm-2-zephyr-1.6b").layers[0].norm.kind == mote::NormKind::layer);
  CHECK(preset("qwen3-0.6b").layers[0].attention()->qk_norm);
  CHECK(preset("qwen3-0.6b").layers[0].attention()->head_dim == 128);
  CHECK(preset("qwen1.5-4b").layers[0].attention()->rope->base == 5e6);
  CHECK(preset("bloom-1.1b").embedding.norm);
  CHECK(preset("bloom-1.1b").layers[0].attention()->alibi_max_bias == 8);
  CHECK(preset("opt-350m").layers[0].placement == mote::NormPlacement::post);
  CHECK(preset("opt-350m").embedding.d_embedding == 512);
  CHECK(preset("opt-2.7b").embedding.n_positions == 2050);
  CHECK(preset("galactica-125m").layers[0].ffn->activation == mote::Activation::gelu_erf);
  CHECK(preset("minitron-4b").layers[0].ffn->activation == mote::Activation::relu_squared);
  CHECK_FALSE(preset("olmo-1b").layers[0].norm.weight);
  CHECK(preset("openelm-3b").layers[35].attention()->n_heads == 24);
  CHECK(preset("openelm-3b").layers[35].ffn->d_ff == 12288);
  CHECK(preset("dclm-1.4b").layers[0].attention()->qk_norm_scope == mote::QkNormScope::projection);
  CHECK(preset("mobilellm-ls-125m").layers.size() == 60);
  CHECK(preset("mobilellm-ls-125m").layers[59].mixer_from == 58);
  CHECK(preset("mobillama-0.5b").layers[21].ffn_from == 0);
  CHECK_FALSE(preset("tinyllama-1.1b").head.tied);
  CHECK(preset("smollm2-1.7b").layers[0].attention()->rope->base == 130000);
}

TEST_CASE("an unknown preset is answered with the nearest names") {
  const auto spec = mote::spec_from_preset("tinylama-1.1b");
  REQUIRE_FALSE(spec);
  CHECK(spec.error().code == mote::ErrorCode::invalid_argument);
  CHECK(spec.error().message.starts_with("unknown preset \"tinylama-1.1b\"; nearest: tinyllama-1.1b, "));
  CHECK_FALSE(mote::spec_from_preset(""));
  CHECK_FALSE(mote::spec_from_preset(std::string(1000000, 'q')));
}

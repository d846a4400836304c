// What configs of the families' golden models may ask for and is not computed, or is computed in another way.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "mote/model.h"
#include "tests/catch.h"
#include "tests/temp_dir.h"

using namespace mote;

namespace {

/// The golden directory with one text of its config replaced.
Result<Model> open_changed(const std::string& name, const std::string& from, const std::string& to) {
  const std::filesystem::path golden = std::filesystem::path(MOTE_SOURCE_DIR) / "tests/golden/models" / name;
  const test::TempDir dir;
  std::ostringstream text;
  text << std::ifstream(golden / "config.json").rdbuf();
  std::string config = text.str();
  const std::size_t at = config.find(from);
  INFO(name << ": " << from);
  REQUIRE(at != std::string::npos);
  dir.write("config.json", config.replace(at, from.size(), to));
  std::filesystem::copy_file(golden / "model.safetensors", dir.file("model.safetensors"));
  return Model::open(dir.path());
}

} // namespace

TEST_CASE("what a family's config asks for and is not computed is refused by its key") {
  struct Change {
    const char *name, *from, *to, *message;
  };
  const Change changes[] = {
      {"bloom", R"("apply_residual_connection_post_layernorm": false)", R"("apply_residual_connection_post_layernorm": true)",
       "apply_residual_connection_post_layernorm is true, which is not supported"},
      {"opt", R"("activation_function": "relu")", R"("activation_function": "tanh")", "activation_function is \"tanh\""},
      {"opt", R"("layer_norm_elementwise_affine": true)", R"("layer_norm_elementwise_affine": false)",
       "layer_norm_elementwise_affine is false, which is not supported"},
      {"opt", R"("do_layer_norm_before": true)", R"("do_layer_norm_before": false)",
       "tensor \"model.decoder.final_layer_norm.bias\" is not part of the family opt"},
      {"openelm", R"("activation_fn_name": "swish")", R"("activation_fn_name": "gelu")", "activation_fn_name is \"gelu\""},
      {"openelm", R"("ffn_with_glu": true)", R"("ffn_with_glu": false)", "ffn_with_glu is false, which is not supported"},
      {"openelm", "2.02", "2.02, 3", "ffn_multipliers has 4 numbers, expected one for each of the 3 layers"},
      {"openelm", "2.02", "-1", "ffn_multipliers has a number that gives a width beyond"},
      {"openelm", R"("head_dim": 12)", R"("head_dim": 13)", "rope.dims is 13"},
      {"openlm", "gain_only_lp_layer_norm", "rms_norm", "params_args_dict.model_norm is \"rms_norm\", which is not supported"},
      {"openlm", R"("positional_embedding_type": "rotary")", R"("positional_embedding_type": "head_rotary")", "head_rotary"},
      {"openlm", R"("qk_norm": true)", R"("qk_norm": false)", "params_args_dict.qk_norm is false, which is not supported"},
      {"openlm", R"("weight_tying": false)", R"("weight_tying": true)", "params_args_dict.weight_tying is true"},
      {"qwen1_beyond", R"("max_position_embeddings": 80)", R"("max_position_embeddings": 81)",
       "use_dynamic_ntk with max_position_embeddings 81 of more than twice seq_length 40 is not supported"},
      {"qwen1_beyond", R"("num_attention_heads": 3)", R"("num_attention_heads": 18)", "kv_channels"},
      {"qwen1_beyond", R"("hidden_size": 36)", R"("hidden_size": 16777215)", "kv_channels"},
      {"qwen1", R"("kv_channels": 12)", R"("kv_channels": 6)", "kv_channels"},
      {"qwen1", R"("intermediate_size": 100)", R"("intermediate_size": 101)",
       "feed_forward_length is 101, expected an even number"},
      {"mobillama", "MobiLlamaForCausalLM", "LlamaForCausalLM", "model.layers.0.self_attn.k_proj.weight"},
      {"mobilellm_ls", R"("share_embedding": true)", R"("share_embedding": false)", "tensor \"lm_head.weight\" is missing"},
  };
  for (const Change& change : changes) {
    CAPTURE(change.name, change.from);
    const auto model = open_changed(change.name, change.from, change.to);
    REQUIRE_FALSE(model);
    CAPTURE(model.error().message);
    CHECK(model.error().message.find(change.message) != std::string::npos);
  }
}

TEST_CASE("what a family's config asks for is in the spec") {
  const auto spec_of = [](const char* name, const char* from, const char* to) {
    const auto model = open_changed(name, from, to);
    if (!model) FAIL(model.error().message);
    return model->spec();
  };
  const ModelSpec longer = spec_of("qwen1_beyond", "\"seq_length\": 40", "\"seq_length\": 60");
  CHECK(longer.layers[0].attention()->log_scaling_from == 60);
  CHECK(longer.layers[0].attention()->rope->n_short_ctx == 60);
  CHECK(spec_of("qwen1_beyond", "\"use_logn_attn\": true", "\"use_logn_attn\": false").layers[0].attention()->log_scaling_from ==
        0);
  const ModelSpec even = spec_of("qwen1_beyond", "\"use_dynamic_ntk\": true", "\"use_dynamic_ntk\": false");
  CHECK(even.layers[0].attention()->rope->long_factors.empty());
  CHECK(even.layers[0].attention()->log_scaling_from == 40);
  CHECK(spec_of("opt", "\"relu\"", "\"gelu\"").layers[1].ffn->activation == Activation::gelu_erf);
  CHECK(spec_of("gpt2", "\"gelu_new\"", "\"gelu\"").layers[0].ffn->activation == Activation::gelu_erf);
  CHECK(spec_of("llama_scaled_tied", "\"silu\"", "\"relu\"").layers[0].ffn->activation == Activation::relu);
  CHECK(spec_of("olmo_clipped", "\"clip_qkv\": 1.1", "\"clip_qkv\": null").layers[0].attention()->clamp == 0);
  CHECK(spec_of("mobilellm_ls", "\"layer_sharing\": true", "\"layer_sharing\": false").layers.size() == 2);
}

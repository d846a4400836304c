// Directories of recurrent models whose configs ask for what is not computed, or for nonsense.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "mote/model.h"
#include "tests/catch.h"
#include "tests/temp_dir.h"

using namespace mote;

namespace {

/// The error of opening a golden model's directory with a part of its config.json replaced.
Error refused(const std::string& name, const std::string& found, const std::string& replacement) {
  const auto golden = std::filesystem::path(MOTE_SOURCE_DIR) / "tests/golden/models" / name;
  std::stringstream text;
  text << std::ifstream(golden / "config.json").rdbuf();
  std::string config = text.str();
  INFO(name << ": " << found);
  REQUIRE(config.find(found) != std::string::npos);
  config.replace(config.find(found), found.size(), replacement);
  const test::TempDir dir;
  dir.write("config.json", config);
  std::filesystem::copy_file(golden / "model.safetensors", dir.file("model.safetensors"));

  const auto model = Model::open(dir.path());
  REQUIRE_FALSE(model);
  return model.error();
}

} // namespace

TEST_CASE("configs of recurrent models are refused by what they ask for") {
  struct Case {
    const char *name, *found, *replacement;
    ErrorCode code;
    const char* message;
  };
  using enum ErrorCode;
  const Case cases[] = {
      {"mamba2", "\"time_step_limit\": [\n    0.0,", "\"time_step_limit\": [\n    0.1,", unsupported,
       "time_step_limit is not supported"},
      {"mamba2", "\"head_dim\": 18", "\"head_dim\": 16000000", bad_file, "the heads of Mamba-2 are too many or too wide"},
      {"mamba2", "\"n_groups\": 2", "\"n_groups\": 3", bad_file, "mamba2.n_groups is 3, expected a divisor of n_heads 4"},
      {"mamba2", "\"hidden_act\": \"silu\"", "\"hidden_act\": \"relu\"", unsupported, "hidden_act is \"relu\""},
      {"mamba", "\"conv_kernel\": 4", "\"conv_kernel\": 5", bad_file,
       "\"blk.0.ssm_conv1d.weight\" should have the shape [5, 74]"},
      {"mamba", "\"state_size\": 5", "\"state_size\": 0", bad_file, "state_size"},
      {"lfm2", "\"conv_bias\": false", "\"conv_bias\": true", unsupported, "conv_bias"},
      {"lfm2", "\"full_attention\"", "\"sliding_attention\"", unsupported, "layer_types has \"sliding_attention\""},
      {"lfm2", "\"full_attention\",", "", bad_file, "layer_types has 4 words, expected one for each of the 5 layers"},
      {"recurrentgemma", "\"attention_window_size\": 9", "\"attention_window_size\": -1", bad_file, "attention_window_size"},
      {"recurrentgemma", "\"attention\"", "\"mamba\"", unsupported, "block_types has \"mamba\""},
      {"jamba", "\"mamba_proj_bias\": false", "\"mamba_proj_bias\": true", unsupported, "mamba_proj_bias"},
      {"jamba", "\"attn_layer_period\": 4", "\"attn_layer_period\": 2", bad_file, "\"blk.2.ssm_in.weight\" [24, 96] is missing"},
      {"granitehybrid", "\"nope\"", "\"rope\"", unsupported, "position_embedding_type"},
      {"granitehybrid", "\"mamba_n_heads\": 4", "\"mamba_n_heads\": 5", bad_file, "\"blk.0.ssm_norm.weight\" of 48 numbers"},
      {"zamba2", "\"gelu\"", "\"silu\"", unsupported, "hidden_act is \"silu\""},
      {"zamba2", "\"add_bias_linear\": false", "\"add_bias_linear\": true", unsupported, "add_bias_linear"},
      {"zamba2", "\"use_long_context\": false", "\"use_long_context\": true", unsupported, "use_long_context"},
      {"zamba2", "\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1e-06", unsupported, "rms_norm_eps is not 1e-05"},
      {"zamba2", "\"hybrid\"", "\"attention\"", unsupported, "layers_block_type has \"attention\""},
      {"zamba2", "\"hybrid\",", "", bad_file, "layers_block_type has 3 words, expected one for each of the 4 layers"},
      {"zamba2", "\"num_mem_blocks\": 1", "\"num_mem_blocks\": 2", bad_file, "layers.3.shared_transformer"},
      {"zamba2", "\"num_mem_blocks\": 1", "\"num_mem_blocks\": 3", bad_file, "num_mem_blocks"},
      {"zamba2_rope", "\"adapter_rank\": 5", "\"adapter_rank\": 6", bad_file,
       "\"blk.0.attn_q_adapter_in.weight\" should have the shape [36, 6]"},
      {"zamba2_rope", "\"use_shared_attention_adapter\": true", "\"use_shared_attention_adapter\": false", unsupported,
       "\"blk.0.attn_q_adapter_in.weight\" is not part"},
  };
  for (const Case& c : cases) {
    const Error error = refused(c.name, c.found, c.replacement);
    INFO(c.name << ": " << error.message);
    CHECK(error.code == c.code);
    CHECK(error.message.find(c.message) != std::string::npos);
  }
}

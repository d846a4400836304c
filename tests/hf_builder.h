/// Builds Hugging Face directories: safetensors files, sound or with a header that lies, and small models.
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/temp_dir.h"

namespace mote::test {

/// The length of a header, the header, the data.
inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes.append(header).append(data);
}

/// A tensor of a model that is being made; all of them are F32.
struct MadeTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  std::size_t n_bytes() const { return values.size() * sizeof(float); }
};

inline MadeTensor made_tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
  MadeTensor tensor{name, shape, {}};
  std::int64_t n = 1;
  for (const std::int64_t d : shape) n *= d;
  // values of their own for each tensor, about 1/8
  for (std::int64_t i = 0; i < n; ++i)
    tensor.values.push_back(static_cast<float>((i * 37 + static_cast<std::int64_t>(name.size()) * 11) % 61 - 30) / 128);
  return tensor;
}

inline std::string safetensors_of(const std::vector<MadeTensor>& tensors) {
  std::string header = R"({"__metadata__": {"format": "pt"})", data;
  for (const MadeTensor& t : tensors) {
    header += ", \"" + t.name + "\": {\"dtype\": \"F32\", \"shape\": [";
    for (std::size_t d = 0; d < t.shape.size(); ++d) header += (d == 0 ? "" : ", ") + std::to_string(t.shape[d]);
    header += "], \"data_offsets\": [" + std::to_string(data.size()) + ", " + std::to_string(data.size() + t.n_bytes()) + "]}";
    data.append(reinterpret_cast<const char*>(t.values.data()), t.n_bytes());
  }
  return safetensors_bytes(header + "}", data);
}

/// A llama of two layers, as its authors would publish it: config.json and model.safetensors, both free to be changed.
struct MadeLlama {
  std::vector<std::pair<std::string, std::string>> config = {
      {"model_type", "\"llama\""},        {"hidden_act", "\"silu\""},    {"hidden_size", "16"},
      {"intermediate_size", "24"},        {"num_hidden_layers", "2"},    {"num_attention_heads", "4"},
      {"num_key_value_heads", "2"},       {"rms_norm_eps", "1e-5"},      {"vocab_size", "40"},
      {"max_position_embeddings", "128"}, {"rope_theta", "10000.0"},     {"rope_scaling", "null"},
      {"tie_word_embeddings", "false"},   {"torch_dtype", "\"float32\""}};
  std::vector<MadeTensor> tensors;

  MadeLlama() {
    tensors.push_back(made_tensor("model.embed_tokens.weight", {40, 16}));
    for (int i = 0; i < 2; ++i) {
      const std::string layer = "model.layers." + std::to_string(i) + ".";
      const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
        tensors.push_back(made_tensor(layer + name + ".weight", shape));
      };
      add("input_layernorm", {16});
      add("post_attention_layernorm", {16});
      add("self_attn.q_proj", {16, 16});
      add("self_attn.k_proj", {8, 16});
      add("self_attn.v_proj", {8, 16});
      add("self_attn.o_proj", {16, 16});
      add("mlp.gate_proj", {24, 16});
      add("mlp.up_proj", {24, 16});
      add("mlp.down_proj", {16, 24});
    }
    tensors.push_back(made_tensor("model.norm.weight", {16}));
    tensors.push_back(made_tensor("lm_head.weight", {40, 16}));
  }
  /// An empty value takes the key away.
  MadeLlama& set(const std::string& key, const std::string& value) {
    std::erase_if(config, [&](const auto& member) { return member.first == key; });
    if (!value.empty()) config.emplace_back(key, value);
    return *this;
  }
  MadeTensor& tensor(std::string_view name) {
    for (MadeTensor& t : tensors)
      if (t.name == name) return t;
    throw std::runtime_error("no tensor " + std::string(name));
  }
  MadeLlama& remove(std::string_view name) {
    std::erase_if(tensors, [&](const MadeTensor& t) { return t.name == name; });
    return *this;
  }
  std::string config_json() const {
    std::string json;
    for (const auto& [key, value] : config) json += (json.empty() ? "{\"" : ", \"") + key + "\": " + value;
    return json + "}";
  }
  /// Gives the directory's path.
  std::string write(const TempDir& dir) const {
    dir.write("config.json", config_json());
    dir.write("model.safetensors", safetensors_of(tensors));
    return dir.path();
  }
};

} // namespace mote::test

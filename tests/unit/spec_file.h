/// A GGUF file that holds a spec, whose keys and tensors can be changed before it is written.
#pragma once
#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "lib/weights/tensors.h"
#include "mote/spec.h"
#include "tests/gguf_builder.h"

namespace mote::test {

struct SpecFile {
  struct Value {
    gguf::ValueType type;
    std::string bytes;
  };
  std::map<std::string, Value> keys;
  std::vector<weights::TensorDesc> tensors;

  template <class T> void set(const std::string& key, gguf::ValueType type, T value) {
    keys[key] = {type, Bytes().put(value).str()};
  }
  void u32(const std::string& key, std::uint32_t value) { set(key, gguf::ValueType::u32, value); }
  void f32(const std::string& key, float value) { set(key, gguf::ValueType::f32, value); }
  void boolean(const std::string& key, bool value) { set(key, gguf::ValueType::boolean, static_cast<std::uint8_t>(value)); }
  void string(const std::string& key, const std::string& value) {
    keys[key] = {gguf::ValueType::string, Bytes().string(value).str()};
  }
  void i32s(const std::string& key, const std::vector<std::int32_t>& values) {
    Bytes bytes;
    bytes.type(gguf::ValueType::i32).put(static_cast<std::uint64_t>(values.size()));
    for (const std::int32_t v : values) bytes.put(v);
    keys[key] = {gguf::ValueType::array, bytes.str()};
  }
  void strings(const std::string& key, const std::vector<std::string>& values) {
    Bytes bytes;
    bytes.type(gguf::ValueType::string).put(static_cast<std::uint64_t>(values.size()));
    for (const std::string& v : values) bytes.string(v);
    keys[key] = {gguf::ValueType::array, bytes.str()};
  }
  weights::TensorDesc& tensor(std::string_view name) {
    return *std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
  }
  void remove_tensor(std::string_view name) {
    std::erase_if(tensors, [&](const auto& t) { return t.name == name; });
  }
  void add_vector(const std::string& name, std::int64_t n) {
    tensors.push_back({name, weights::Role::output, weights::Form::bias, -1, 1, n, {}});
  }

  std::string build() const {
    GgufBuilder builder;
    for (const auto& [key, value] : keys) builder.value(key, value.type, value.bytes);
    for (const weights::TensorDesc& tensor : tensors) {
      std::string data(static_cast<std::size_t>(tensor.n_rows * tensor.n_cols) * sizeof(float), '\0');
      if (!tensor.values.empty()) std::memcpy(data.data(), tensor.values.data(), data.size());
      std::vector<std::uint64_t> dims{static_cast<std::uint64_t>(tensor.n_cols)};
      for (int d = 1; d < tensor.n_dims(); ++d)
        dims.push_back(static_cast<std::uint64_t>(tensor.dims()[static_cast<std::size_t>(d)]));
      builder.tensor(TensorInfo{tensor.name, dims, 0, std::move(data), {}, {}, {}});
    }
    return builder.build();
  }
};

/// What a converter would write for a spec whose layers are equal.
inline SpecFile file_of(const ModelSpec& spec) {
  SpecFile file;
  const LayerSpec& layer = spec.layers[0];
  const AttentionSpec& attention = *layer.attention();
  const auto key = [&](const char* name) { return spec.family + "." + name; };
  const auto u32 = [&](const char* name, int value) { file.u32(key(name), static_cast<std::uint32_t>(value)); };
  file.string("general.architecture", spec.family);
  file.string("general.name", spec.name);
  u32("block_count", static_cast<int>(spec.layers.size()));
  u32("context_length", spec.n_ctx);
  u32("embedding_length", spec.d_model);
  u32("feed_forward_length", layer.ffn->d_ff);
  u32("attention.head_count", attention.n_heads);
  u32("attention.head_count_kv", attention.n_kv_heads);
  if (attention.head_dim * attention.n_heads != spec.d_model) {
    u32("attention.key_length", attention.head_dim);
    u32("attention.value_length", attention.head_dim);
  }
  file.f32(key(layer.norm.kind == NormKind::rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon"),
           layer.norm.eps);
  if (attention.rope) {
    u32("rope.dimension_count", attention.rope->dims);
    file.f32(key("rope.freq_base"), static_cast<float>(attention.rope->base));
  }
  if (spec.family == "gptneox") file.boolean(key("use_parallel_residual"), layer.residual == Residual::parallel);
  file.tensors = weights::list_tensors(spec);
  return file;
}

} // namespace mote::test

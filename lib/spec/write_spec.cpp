#include "lib/spec/write_spec.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "lib/spec/family.h"

namespace mote::spec {

namespace {

/// Whether files of the family have a key for it: those whose layers have both norms either way.
bool says_residual(const Family& family) { return family.defaults().layers[0].residual == Residual::parallel; }

/// What read_spec would make of a file: the family's habits, with the values that its keys and tensors carry.
ModelSpec read_back(const ModelSpec& spec, const Family& family) {
  ModelSpec read = family.defaults();
  const LayerSpec usual = read.layers[0], &first = spec.layers[0];
  read.family = spec.family;
  read.name = spec.name;
  read.d_model = spec.d_model;
  read.n_vocab = spec.n_vocab;
  read.n_ctx = spec.n_ctx;
  if (read.embedding.n_positions != 0 && spec.embedding.n_positions != 0) read.embedding.n_positions = spec.embedding.n_positions;
  read.layers.assign(spec.layers.size(), usual);
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const LayerSpec& from = spec.layers[i];
    LayerSpec& to = read.layers[i];
    if (says_residual(family) && first.residual == Residual::sequential) to.residual = Residual::sequential;
    to.norm.eps = first.norm.eps;
    to.norm.bias = from.norm.bias;
    to.mixer = from.mixer;
    to.attention()->head_dim = first.attention()->head_dim;
    to.attention()->scale = first.attention()->scale;
    to.attention()->qk_norm = usual.attention()->qk_norm;
    if (to.attention()->qk_norm) to.attention()->qk_norm->eps = first.norm.eps;
    to.attention()->rope = usual.attention()->rope;
    if (to.attention()->rope && first.attention()->rope) {
      to.attention()->rope = first.attention()->rope;
      to.attention()->rope->style = usual.attention()->rope->style;
      to.attention()->rope->base = static_cast<float>(first.attention()->rope->base); // the type of the key
    }
    to.ffn->d_ff = from.ffn->d_ff;
    to.ffn->bias = from.ffn->bias;
  }
  read.head.norm->eps = first.norm.eps;
  read.head.norm->bias = spec.head.norm->bias;
  read.head.tied = spec.head.tied;
  read.head.bias = spec.head.bias;
  return read;
}

class SpecWriter {
 public:
  SpecWriter(const ModelSpec& spec, const Family& family, gguf::Writer& writer) : spec_(spec), family_(family), writer_(writer) {}

  void write() {
    const LayerSpec& first = spec_.layers[0];
    writer_.set_string("general.architecture", spec_.family);
    writer_.set_string("general.name", spec_.name);
    set("vocab_size", spec_.n_vocab);
    set("context_length", spec_.n_ctx);
    set("embedding_length", spec_.d_model);
    set("block_count", static_cast<int>(spec_.layers.size()));
    per_layer("feed_forward_length", [](const LayerSpec& layer) { return layer.ffn->d_ff; });
    per_layer("attention.head_count", [](const LayerSpec& layer) { return layer.attention()->n_heads; });
    per_layer("attention.head_count_kv", [](const LayerSpec& layer) { return layer.attention()->n_kv_heads; });
    set("attention.key_length", first.attention()->head_dim);
    set("attention.value_length", first.attention()->head_dim);
    const bool rms = first.norm.kind == NormKind::rms;
    set(rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon", first.norm.eps);
    if (first.attention()->scale != static_cast<float>(1.0 / std::sqrt(static_cast<double>(first.attention()->head_dim))))
      set("attention.scale", first.attention()->scale);
    if (first.attention()->rope) rope(*first.attention()->rope);
    if (says_residual(family_)) writer_.set_bool(full("use_parallel_residual"), first.residual == Residual::parallel);
  }

 private:
  std::string full(std::string_view key) const { return spec_.family + "." + std::string(key); }
  void set(std::string_view key, int value) { writer_.set_u32(full(key), static_cast<std::uint32_t>(value)); }
  void set(std::string_view key, float value) { writer_.set_f32(full(key), value); }

  void per_layer(std::string_view key, int (*value)(const LayerSpec&)) {
    std::vector<std::int32_t> values;
    for (const LayerSpec& layer : spec_.layers) values.push_back(value(layer));
    const bool equal = std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
    if (equal) set(key, values[0]);
    else writer_.set_i32s(full(key), values);
  }

  void rope(const RopeSpec& rope) {
    set("rope.dimension_count", rope.dims);
    set("rope.freq_base", static_cast<float>(rope.base));
    const auto& factors = rope.factors; // a tensor, unless they are all the same
    if (factors.empty() || std::adjacent_find(factors.begin(), factors.end(), std::not_equal_to<>()) != factors.end()) return;
    writer_.set_string(full("rope.scaling.type"), "linear");
    set("rope.scaling.factor", factors[0]);
  }

  const ModelSpec& spec_;
  const Family& family_;
  gguf::Writer& writer_;
};

} // namespace

Status write_spec(const ModelSpec& spec, gguf::Writer& writer) {
  const Family* family = find_family(spec.family);
  if (!family) return Error{ErrorCode::unsupported, "no file can hold a model of the unknown family \"" + spec.family + "\""};
  const std::string lost = diff(spec, read_back(spec, *family));
  if (!lost.empty())
    return Error{ErrorCode::unsupported,
                 "a file of the family " + spec.family + " cannot say all of this model: " + lost.substr(0, lost.find('\n'))};
  SpecWriter(spec, *family, writer).write();
  return {};
}

} // namespace mote::spec

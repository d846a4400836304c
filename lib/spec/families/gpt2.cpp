// GPT-2: learned positions, LayerNorm, biases everywhere.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = spec.embedding.n_positions = 1024;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm = {NormKind::layer, 1e-5f, true};
  layer.attention()->qkv_storage = QkvStorage::fused;
  layer.attention()->qkv_bias = layer.attention()->output_bias = true;
  layer.ffn = {FfnKind::standard, Activation::gelu_tanh, 0, true};
  spec.head = {layer.norm, true, false};
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kGpt2{"gpt2", defaults, read};

} // namespace mote::spec

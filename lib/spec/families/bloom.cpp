// Bloom and Bloomz: ALiBi in place of positions, a LayerNorm behind the embedding, biases everywhere.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 2048;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm = {NormKind::layer, 1e-5f, true};
  layer.attention()->qkv_storage = QkvStorage::fused;
  layer.attention()->qkv_bias = layer.attention()->output_bias = true;
  layer.attention()->alibi_max_bias = 8;
  layer.ffn = {FfnKind::standard, Activation::gelu_tanh, 0, true};
  spec.embedding.norm = layer.norm;
  spec.head = {layer.norm, true, false};
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kBloom{"bloom", defaults, read};

} // namespace mote::spec

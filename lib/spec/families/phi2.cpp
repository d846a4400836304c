// Phi-1, 1.5 and 2: one LayerNorm feeds attention and FFN, which are added together; a part of each head is rotated.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 2048;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.residual = Residual::parallel_shared;
  layer.norm = {NormKind::layer, 1e-5f, true};
  layer.attention()->qkv_storage = QkvStorage::fused;
  layer.attention()->qkv_bias = layer.attention()->output_bias = true;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 32, 10000.0, {}};
  layer.ffn = {FfnKind::standard, Activation::gelu_tanh, 0, true};
  spec.head = {layer.norm, false, true};
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kPhi2{"phi2", defaults, read};

} // namespace mote::spec

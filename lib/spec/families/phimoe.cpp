// Phi-3.5-MoE: LayerNorm, biases around the attention and behind the head, experts chosen one after another.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 131072;
  LayerSpec& layer = spec.layers.emplace_back();
  layer.norm = {NormKind::layer, 1e-5f, true};
  layer.attention()->qkv_bias = layer.attention()->output_bias = true;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 0, 10000.0, {}};
  layer.ffn->experts = ExpertsSpec{};
  layer.ffn->experts->router = Router::sparse_mixer;
  spec.head.norm = layer.norm;
  spec.head.bias = true;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kPhiMoe{"phimoe", defaults, read};

} // namespace mote::spec

// Qwen 3: a norm on each head of q and k, no biases.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 40960;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm.eps = spec.head.norm->eps = 1e-6f;
  layer.attention()->qk_norm = layer.norm;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 0, 1e6, {}};
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kQwen3{"qwen3", defaults, read};

} // namespace mote::spec

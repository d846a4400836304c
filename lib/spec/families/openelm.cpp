// OpenELM: heads and widths that grow from layer to layer, a norm on each head of q and k.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 2048;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm.eps = spec.head.norm->eps = 1e-6f;
  layer.attention()->qkv_storage = QkvStorage::fused;
  layer.attention()->qk_norm = layer.norm;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 0, 10000.0, {}};
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kOpenElm{"openelm", defaults, read};

} // namespace mote::spec

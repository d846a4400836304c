// OLMo 2: norms behind attention and FFN, and over all heads of q and of k.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 4096;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.placement = NormPlacement::output;
  layer.norm.eps = spec.head.norm->eps = 1e-6f;
  layer.attention()->qk_norm = layer.norm;
  layer.attention()->qk_norm_scope = QkNormScope::projection;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 0, 500000.0, {}};
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kOlmo2{"olmo2", defaults, read};

} // namespace mote::spec

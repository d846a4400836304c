// Qwen 1.5, 2 and 2.5: biases on q, k and v.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 32768;
  spec.layers.emplace_back();
  spec.layers[0].norm.eps = spec.head.norm->eps = 1e-6f;
  spec.layers[0].attention()->qkv_bias = true;
  spec.layers[0].attention()->rope = RopeSpec{RopeStyle::halves, 0, 1e6, {}};
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kQwen2{"qwen2", defaults, read};

} // namespace mote::spec

// OLMo: LayerNorm without weights, and bounds for q, k and v in some models. Converters permute the rows of q and k as for llama.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 2048;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm = {NormKind::layer, 1e-5f, false, false};
  layer.attention()->rope = RopeSpec{RopeStyle::interleaved, 0, 10000.0, {}};
  spec.head = {layer.norm, false, false};
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kOlmo{"olmo", defaults, read};

} // namespace mote::spec

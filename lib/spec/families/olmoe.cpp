// OLMoE: experts, and a norm over all heads of q and of k.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 4096;
  LayerSpec& layer = spec.layers.emplace_back();
  layer.attention()->qk_norm = layer.norm;
  layer.attention()->qk_norm_scope = QkNormScope::projection;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 0, 10000.0, {}};
  layer.ffn->experts = ExpertsSpec{};
  layer.ffn->experts->router = Router::softmax;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kOlmoe{"olmoe", defaults, read};

} // namespace mote::spec

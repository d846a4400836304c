// Qwen 1.5 and 2 with experts: those of Qwen 2 and a shared one behind a gate.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 8192;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm.eps = spec.head.norm->eps = 1e-6f;
  layer.attention()->qkv_bias = true;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 0, 1e6, {}};
  layer.ffn->experts = ExpertsSpec{};
  layer.ffn->experts->router = Router::softmax;
  layer.ffn->experts->shared_gate = true;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kQwen2Moe{"qwen2moe", defaults, read};

} // namespace mote::spec

// DeepSeek-V2-Lite: attention over latents, and experts behind the first layers.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 163840;
  LayerSpec& layer = spec.layers.emplace_back();
  layer.norm.eps = spec.head.norm->eps = 1e-6f;
  layer.attention()->rope = RopeSpec{RopeStyle::interleaved, 64, 10000.0, {}};
  layer.attention()->latent = LatentSpec{};
  layer.ffn->experts = ExpertsSpec{};
  layer.ffn->experts->router = Router::softmax;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kDeepSeek2{"deepseek2", defaults, read};

} // namespace mote::spec

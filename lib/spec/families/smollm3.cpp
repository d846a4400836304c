// SmolLM 3: Llama in which every fourth layer knows no positions.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

constexpr std::size_t kTurn = 4;

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 65536;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm.eps = spec.head.norm->eps = 1e-6f;
  layer.attention()->rope = RopeSpec{RopeStyle::interleaved, 0, 5e6, {}};
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults());
  for (std::size_t i = kTurn - 1; i < spec.layers.size(); i += kTurn) spec.layers[i].attention()->rope.reset();
  return spec;
}

} // namespace

constinit const Family kSmolLm3{"smollm3", defaults, read};

} // namespace mote::spec

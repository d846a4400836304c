// Phi-3, Phi-3.5 and Phi-4-mini: Llama with q, k and v in one matrix, gate and up in another; LongRoPE; some attend to a window.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 4096;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.attention()->qkv_storage = QkvStorage::fused;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 0, 10000.0, {}};
  layer.ffn->gate_storage = GateStorage::fused;
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults());
  read_windows(metadata, spec, 0);
  return spec;
}

} // namespace

constinit const Family kPhi3{"phi3", defaults, read};

} // namespace mote::spec

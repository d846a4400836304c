// OpenLM (DCLM): LayerNorm without biases, also over all of q and all of k. lib/spec/README.md has the names and keys of its GGUF
// files.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 2048;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm = {NormKind::layer, 1e-5f, false};
  AttentionSpec& attention = *layer.attention();
  attention.qkv_storage = QkvStorage::fused;
  attention.qk_norm = layer.norm;
  attention.qk_norm_scope = QkNormScope::projection;
  attention.rope = RopeSpec{RopeStyle::halves, 0, 10000.0, {}};
  layer.ffn->gate_storage = GateStorage::fused;
  spec.head.norm = layer.norm;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kOpenLm{"openlm", defaults, read};

} // namespace mote::spec

// StableLM 3B, StableLM 2 1.6B and 12B: LayerNorm, a gated FFN; a part of each head is rotated. In the 12B model one norm feeds
// attention and FFN, and each head of q and k has a norm of its own.
#include <utility>

#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 4096;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm = {NormKind::layer, 1e-5f, true};
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 16, 10000.0, {}};
  spec.head = {layer.norm, false, false};
  return spec;
}

/// Its tensors tell which model it is: the key use_parallel_residual does not.
ModelSpec read(Metadata& metadata) {
  ModelSpec usual = defaults();
  LayerSpec& layer = usual.layers[0];
  if (!metadata.layer_has(0, "ffn_norm.weight")) layer.residual = Residual::parallel_shared;
  if (metadata.layer_has(0, "attn_q_norm.weight")) {
    layer.attention()->qk_norm = NormSpec{NormKind::layer, layer.norm.eps, false};
    layer.attention()->qk_norm_scope = QkNormScope::each_head;
  }
  return read_decoder(metadata, std::move(usual));
}

} // namespace

constinit const Family kStableLm{"stablelm", defaults, read};

} // namespace mote::spec

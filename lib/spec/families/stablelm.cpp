// StableLM 3B and StableLM 2 1.6B: LayerNorm, a gated FFN; a part of each head is rotated.
#include <string>

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

/// StableLM 2 12B is another architecture under the same name; its tensors tell.
ModelSpec read(Metadata& metadata) {
  const auto refuse = [&](const std::string& what) {
    metadata.fail(ErrorCode::unsupported, what + " is not supported in the family stablelm; its 3B and 1.6B models are");
  };
  if (!metadata.layer_has(0, "ffn_norm.weight")) refuse("a parallel residual (no tensor \"blk.0.ffn_norm.weight\")");
  if (metadata.layer_has(0, "attn_q_norm.weight")) refuse("a norm for each head (tensor \"blk.0.attn_q_norm.weight\")");
  return read_decoder(metadata, defaults());
}

} // namespace

constinit const Family kStableLm{"stablelm", defaults, read};

} // namespace mote::spec

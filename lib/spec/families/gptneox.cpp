// GPT-NeoX (Pythia, Dolly): attention and FFN, each behind a LayerNorm of its own, are added together; a part of each head is
// rotated.
#include <utility>

#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 2048;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.residual = Residual::parallel;
  layer.norm = {NormKind::layer, 1e-5f, true};
  layer.attention()->qkv_storage = QkvStorage::fused;
  layer.attention()->qkv_bias = layer.attention()->output_bias = true;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 16, 10000.0, {}};
  // files do not say which gelu; the published models were trained with this one
  layer.ffn = {FfnKind::standard, Activation::gelu_erf, 0, true};
  spec.head = {layer.norm, false, false};
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec usual = defaults();
  if (!metadata.boolean_or("use_parallel_residual", true)) usual.layers[0].residual = Residual::sequential;
  return read_decoder(metadata, std::move(usual));
}

void write(const ModelSpec& spec, KeyWriter& keys) {
  keys.set("use_parallel_residual", spec.layers[0].residual == Residual::parallel);
}

} // namespace

constinit const Family kGptNeox{"gptneox", defaults, read, write};

} // namespace mote::spec

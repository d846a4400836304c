// Nemotron and Minitron: LayerNorm whose stored weights count from 1 (files have that 1 added), relu squared without a gate; a
// part of each head is rotated.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 4096;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm = {NormKind::layer, 1e-5f, true};
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 64, 10000.0, {}};
  layer.ffn = {FfnKind::standard, Activation::relu_squared};
  spec.head = {layer.norm, false, false};
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kNemotron{"nemotron", defaults, read};

} // namespace mote::spec

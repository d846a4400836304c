// RecurrentGemma: two layers of RG-LRU to one of attention over a window. Files follow a convention of our own, described in
// lib/spec/README.md; as for Gemma the norms' weights have the 1 added that the models add to them.
#include <algorithm>

#include "lib/spec/family.h"
#include "lib/spec/limits.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 8192;
  spec.embedding.scale = 0;
  spec.layers.resize(2);
  for (LayerSpec& layer : spec.layers) {
    layer.norm.eps = 1e-6f;
    layer.ffn = FfnSpec{.activation = Activation::gelu_tanh, .bias = true};
  }
  AttentionSpec& attention = *spec.layers[0].attention();
  attention.output_bias = true;
  attention.rope = RopeSpec{RopeStyle::halves, 128, 10000.0, {}};
  spec.layers[1].mixer = MixerSpec(RgLruSpec{0, 0, 4});
  spec.head.norm = spec.layers[0].norm;
  spec.head.tied = true;
  spec.head.softcap = 30;
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults());
  const int window = metadata.integer_or("attention.sliding_window", 0, 0, kMaxCtx);
  for (LayerSpec& layer : spec.layers)
    if (layer.attention()) layer.attention()->window = window;
  return spec;
}

} // namespace

constinit const Family kRecurrentGemma{"recurrentgemma", defaults, read};

} // namespace mote::spec

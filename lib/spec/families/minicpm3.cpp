// MiniCPM3: attention over latents, and scales that its files do not say.
#include <cmath>

#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 32768;
  LayerSpec& layer = spec.layers.emplace_back();
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 32, 10000.0, {}};
  layer.attention()->latent = LatentSpec{};
  spec.embedding.scale = 12;
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults());
  const double of_layer = 1.4 / std::sqrt(static_cast<double>(spec.layers.size()));
  for (LayerSpec& layer : spec.layers)
    if (!metadata.has("residual_scale")) layer.residual_scale = static_cast<float>(of_layer);
  spec.head.scale = static_cast<float>(metadata.real_or("logit_scale", 256.0 / spec.d_model));
  return spec;
}

/// All scales: without keys they are those of the published model.
void write(const ModelSpec& spec, KeyWriter& keys) {
  keys.set("logit_scale", spec.head.scale);
  if (spec.embedding.scale == 1) keys.set("embedding_scale", 1.0f);
  if (spec.layers[0].residual_scale == 1) keys.set("residual_scale", 1.0f);
}

} // namespace

constinit const Family kMiniCpm3{"minicpm3", defaults, read, write};

} // namespace mote::spec

// MiniCPM 1 and 2: Llama whose embedding, residuals and logits are scaled so that narrow and wide models train alike.
#include <cmath>

#include "lib/spec/family.h"

namespace mote::spec {

namespace {

constexpr std::string_view kLogitScale = "logit_scale"; // a divisor

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 4096;
  spec.embedding.scale = 12;
  spec.layers.emplace_back();
  spec.layers[0].attention()->rope = RopeSpec{RopeStyle::interleaved, 0, 10000.0, {}};
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults());
  // older files do not say what all published models have in common
  if (!metadata.has("residual_scale"))
    for (LayerSpec& layer : spec.layers)
      layer.residual_scale = static_cast<float>(1.4 / std::sqrt(static_cast<double>(spec.layers.size())));
  if (metadata.has(kLogitScale)) read_logit_divisor(metadata, spec);
  else spec.head.scale = 256.0f / static_cast<float>(spec.d_model);
  return spec;
}

void write(const ModelSpec& spec, KeyWriter& keys) {
  keys.set(kLogitScale, 1 / spec.head.scale);
  keys.set("residual_scale", spec.layers[0].residual_scale);
  keys.set("embedding_scale", spec.embedding.scale);
}

} // namespace

constinit const Family kMiniCpm{"minicpm", defaults, read, write};

} // namespace mote::spec

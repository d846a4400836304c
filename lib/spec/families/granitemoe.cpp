// Granite 3 with experts: its scales have keys; that of the logits is a divisor there.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 131072;
  LayerSpec& layer = spec.layers.emplace_back();
  layer.norm.eps = spec.head.norm->eps = 1e-6f;
  layer.attention()->rope = RopeSpec{RopeStyle::interleaved, 0, 1e7, {}};
  layer.ffn->experts = ExpertsSpec{};
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults());
  read_logit_divisor(metadata, spec);
  return spec;
}

void write(const ModelSpec& spec, KeyWriter& keys) {
  if (spec.head.scale != 1) keys.set("logit_scale", 1 / spec.head.scale);
}

} // namespace

constinit const Family kGraniteMoe{"granitemoe", defaults, read, write};

} // namespace mote::spec

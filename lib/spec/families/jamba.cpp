// Jamba: layers of attention without positions among layers of Mamba, whose dt, B and C pass norms; some FFNs are routed experts.
#include "lib/spec/family.h"
#include "lib/spec/limits.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 262144;
  spec.layers.resize(2);
  for (LayerSpec& layer : spec.layers) {
    layer.norm.eps = 1e-6f;
    layer.ffn->experts = ExpertsSpec{};
    layer.ffn->experts->router = Router::softmax;
  }
  spec.layers[1].mixer = MixerSpec(MambaSpec{0, 16, 0, 4, true});
  spec.head.norm = spec.layers[0].norm;
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec usual = defaults();
  if (metadata.integer_or("expert_count", 0, 0, kMaxExperts) == 0)
    for (LayerSpec& layer : usual.layers) layer.ffn->experts.reset();
  ModelSpec spec = read_decoder(metadata, std::move(usual));
  for (std::size_t i = 0; i < spec.layers.size(); ++i)
    if (!metadata.layer_has(i, "ffn_gate_inp.weight")) spec.layers[i].ffn->experts.reset();
  return spec;
}

} // namespace

constinit const Family kJamba{"jamba", defaults, read};

} // namespace mote::spec

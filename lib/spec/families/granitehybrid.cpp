// Granite 4 hybrids: layers of attention without positions among layers of Mamba-2, with Granite's numbers; also with experts.
#include "lib/spec/family.h"
#include "lib/spec/limits.h"

namespace mote::spec {

namespace {

constexpr std::string_view kLogitScale = "logit_scale"; // a divisor

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 131072;
  spec.layers.resize(2);
  spec.layers[1].mixer = MixerSpec(Mamba2Spec{0, 0, 128, 1, 4});
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec usual = defaults();
  if (metadata.integer_or("expert_count", 0, 0, kMaxExperts) != 0)
    for (LayerSpec& layer : usual.layers) layer.ffn->experts = ExpertsSpec{};
  ModelSpec spec = read_decoder(metadata, std::move(usual));
  read_logit_divisor(metadata, spec);
  if (metadata.boolean_or("rope.scaling.finetuned", false)) // the key by which files say that positions are rotated
    metadata.fail(ErrorCode::unsupported, metadata.full_key("rope.scaling.finetuned") +
                                              " is true: rotated positions are not supported in the family granitehybrid");
  return spec;
}

void write(const ModelSpec& spec, KeyWriter& keys) {
  if (spec.head.scale != 1) keys.set(kLogitScale, 1 / spec.head.scale);
}

} // namespace

constinit const Family kGraniteHybrid{"granitehybrid", defaults, read, write};

} // namespace mote::spec

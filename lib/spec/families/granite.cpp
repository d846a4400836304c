// Granite 3: Llama with numbers of its own for what the embedding, the residuals, the scores and the logits are multiplied by.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

constexpr std::string_view kLogitScale = "logit_scale"; // a divisor

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 4096;
  spec.layers.emplace_back();
  spec.layers[0].attention()->rope = RopeSpec{RopeStyle::interleaved, 0, 10000.0, {}};
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults());
  read_logit_divisor(metadata, spec);
  return spec;
}

void write(const ModelSpec& spec, KeyWriter& keys) {
  if (spec.head.scale != 1) keys.set(kLogitScale, 1 / spec.head.scale);
}

} // namespace

constinit const Family kGranite{"granite", defaults, read, write};

} // namespace mote::spec

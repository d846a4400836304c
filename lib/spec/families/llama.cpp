// Llama and what is built like it, also with experts (Mixtral). Converters permute the rows of q and k so that rotated pairs lie
// side by side.
#include <utility>

#include "lib/spec/family.h"
#include "lib/spec/limits.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 2048;
  spec.layers.emplace_back();
  spec.layers[0].attention()->rope = RopeSpec{RopeStyle::interleaved, 0, 10000.0, {}};
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec usual = defaults();
  if (metadata.integer_or("expert_count", 0, 0, kMaxExperts) != 0) usual.layers[0].ffn->experts = ExpertsSpec{};
  ModelSpec spec = read_decoder(metadata, std::move(usual));
  read_windows(metadata, spec, 0); // of Mistral
  return spec;
}

} // namespace

constinit const Family kLlama{"llama", defaults, read};

} // namespace mote::spec

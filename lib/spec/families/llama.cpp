// Llama and what is built like it. Converters permute the rows of q and k so that rotated pairs lie side by side.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 2048;
  spec.layers.emplace_back();
  spec.layers[0].attention()->rope = RopeSpec{RopeStyle::interleaved, 0, 10000.0, {}};
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kLlama{"llama", defaults, read};

} // namespace mote::spec

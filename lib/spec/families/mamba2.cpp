// Mamba-2: layers of a state space with heads and nothing else.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 1 << 20; // there is no limit; files say this
  spec.layers.emplace_back();
  spec.layers[0].mixer = MixerSpec(Mamba2Spec{0, 0, 128, 1, 4});
  spec.layers[0].ffn.reset();
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kMamba2{"mamba2", defaults, read};

} // namespace mote::spec

// Mamba: layers of a selective state space and nothing else.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 1 << 20; // there is no limit; files say this
  spec.layers.emplace_back();
  spec.layers[0].mixer = MixerSpec(MambaSpec{0, 16, 0, 4, false});
  spec.layers[0].ffn.reset();
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kMamba{"mamba", defaults, read};

} // namespace mote::spec

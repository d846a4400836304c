// LFM2: layers of attention, with a norm on each head of q and k, among layers of gated short convolutions.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 128000;
  spec.layers.resize(2);
  spec.layers[0].attention()->qk_norm = spec.layers[0].norm;
  spec.layers[0].attention()->rope = RopeSpec{RopeStyle::halves, 0, 1e6, {}};
  spec.layers[1].mixer = MixerSpec(ShortConvSpec{3});
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

} // namespace

constinit const Family kLfm2{"lfm2", defaults, read};

} // namespace mote::spec

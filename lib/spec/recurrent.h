/// Mixers that keep a state: their sizes in files and in shapes. Attention has no part in it.
#pragma once
#include "lib/spec/family.h"
#include "lib/spec/metadata.h"
#include "lib/spec/shape.h"
#include "mote/spec.h"

namespace mote::spec {

/// Fills in what the file says; the kind of the mixer and what files do not say stay as the family has them.
void read_recurrent(Metadata& metadata, MixerSpec& mixer);
/// The same from the keys of a shape; sizes that the family has already are those of a silent shape.
void read_recurrent(ShapeValues& values, MixerSpec& mixer, int d_model);
/// Fails with those of the keys above that the shape has: for families that have no such mixer.
void refuse_recurrent_keys(ShapeValues& values);
/// The blocks of a model of which n are stored: its layers use them in turn.
void share_blocks(ModelSpec& spec, int n);
/// Sets the keys from which read_recurrent makes the mixer again.
void write_recurrent(const MixerSpec& mixer, KeyWriter& keys);

} // namespace mote::spec

/// From the spec of a model to the metadata of a file.
#pragma once
#include "lib/gguf/key_values.h"
#include "mote/spec.h"

namespace mote::spec {

/// Sets general.architecture and the keys from which read_spec makes the same spec again, given the tensors of list_tensors, if
/// files of the family can say all of it: whoever writes a file reads it back and compares. Error: unsupported, an unknown
/// family.
Status write_spec(const ModelSpec& spec, gguf::KeyValues& keys);

} // namespace mote::spec

/// From the spec of a model to the metadata of a file.
#pragma once
#include "lib/gguf/writer.h"
#include "mote/spec.h"

namespace mote::spec {

/// Sets general.architecture and the keys from which read_spec makes the same spec again, given the tensors of list_tensors.
/// Error: unsupported, a value that no file of the family can say (files name no activation, for one).
Status write_spec(const ModelSpec& spec, gguf::Writer& writer);

} // namespace mote::spec

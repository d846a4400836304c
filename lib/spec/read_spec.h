/// From a file's metadata to the spec of its model.
#pragma once
#include "lib/gguf/file.h"
#include "mote/spec.h"

namespace mote::spec {

/// Finds the family by general.architecture and fills a validated spec.
/// Errors: unsupported (the architecture, with the list of those supported; a feature by its key), bad_file (a key missing or
/// senseless).
Result<ModelSpec> read_spec(const gguf::File& file);

} // namespace mote::spec

#include "lib/spec/read_spec.h"

#include <utility>

#include "lib/gguf/format.h"
#include "lib/spec/family.h"
#include "lib/spec/names.h"

namespace mote::spec {

Result<ModelSpec> read_spec(const gguf::File& file) {
  const auto architecture = file.get_string("general.architecture");
  if (!architecture) return architecture.error();
  const Family* family = find_family(*architecture);
  if (!family)
    return Error{ErrorCode::unsupported, file.path() + ": architecture " + gguf::quote(*architecture) +
                                             " is not supported; supported: " + join(family_names())};
  Metadata metadata(file, *architecture);
  ModelSpec spec = family->read(metadata);
  spec.family = family->name;
  refuse_features(metadata, spec);
  if (!metadata.status()) return metadata.status().error();
  if (Status valid = validate(spec); !valid) {
    Error error = std::move(valid).error();
    // what would be the caller's fault in a shape is the file's here
    if (error.code == ErrorCode::invalid_argument) error.code = ErrorCode::bad_file;
    error.message = file.path() + ": " + error.message;
    return error;
  }
  return spec;
}

} // namespace mote::spec

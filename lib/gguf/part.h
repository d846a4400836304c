/// One GGUF file: a whole model, or a part of a split one.
#pragma once
#include <string>
#include <vector>

#include "lib/gguf/mapping.h"
#include "lib/gguf/name_index.h"
#include "lib/gguf/value.h"

namespace mote::gguf {

/// Views of the mapping; movable.
struct Part {
  std::string path;
  Mapping mapping;
  std::size_t data_start = 0; ///< bytes before the data section
  std::vector<Value> values;  ///< in the order of the file
  NameIndex keys;             ///< places in values
  std::vector<Tensor> tensors;

  /// Null if there is no such key.
  const Value* find(std::string_view key) const noexcept;
};

/// Maps and checks a file, except that two tensors may have the same name: names are checked over all parts together.
/// Errors: io, bad_file, unsupported, with the path in front. Memory is bounded by a small multiple of the file's size.
Result<Part> read_part(const std::string& path);

} // namespace mote::gguf

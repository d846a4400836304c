/// What a File is put together from when there is no GGUF file.
#pragma once
#include <string>
#include <vector>

#include "lib/gguf/file.h"
#include "lib/gguf/key_values.h"
#include "lib/gguf/mapping.h"

namespace mote::gguf {

struct Assembly {
  /// A file that tensors or keys come from.
  struct Source {
    std::string path;
    Mapping mapping;
    std::size_t data_start = 0; ///< bytes before the weights; all of a file that holds none
  };

  std::string path; ///< what messages call it
  KeyValues keys;
  std::vector<Tensor> tensors; ///< their data lies in the mappings and in values
  std::vector<std::vector<float>> values;
  std::vector<Source> sources; ///< at least one
};

} // namespace mote::gguf

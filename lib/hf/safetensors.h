/// Files of the safetensors format: a header of JSON, then the bytes of the tensors.
/// https://github.com/huggingface/safetensors#format
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/gguf/mapping.h"
#include "mote/result.h"
#include "mote/types.h"

namespace mote::hf {

struct StoredTensor {
  std::string name;
  std::string dtype;               ///< as the file has it: "BF16"
  std::optional<TensorType> type;  ///< F32, F16 or BF16; none for what mote cannot compute with
  std::vector<std::int64_t> shape; ///< the last dimension is contiguous
  std::span<const std::byte> data; ///< in the mapping, unaligned
};

struct Safetensors {
  gguf::Mapping mapping;
  std::size_t data_start = 0;        ///< bytes before the data
  std::vector<StoredTensor> tensors; ///< sorted by name
};

/// Maps and checks a file. Errors: io; bad_file, with the path and the tensor in front: a header that is cut off, too large or no
/// JSON, shapes and sizes that do not agree, data beyond the end or used twice.
Result<Safetensors> open_safetensors(const std::string& path);

} // namespace mote::hf

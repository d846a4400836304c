/// What a file says of the types of its weights, in a word.
#pragma once
#include <span>
#include <string>

#include "lib/gguf/file.h"
#include "lib/weights/tensors.h"

namespace mote::weights {

/// The value of general.file_type that stands for the mix.
std::uint32_t file_type_id(Mix mix) noexcept;
/// The mix that general.file_type names; for other files the type that holds the most weights.
std::string file_type_name(const gguf::File& file, std::span<const TensorType> types, std::span<const TensorDesc> tensors);

} // namespace mote::weights

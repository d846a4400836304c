/// Model files of both kinds.
#pragma once
#include <string>

#include "lib/gguf/file.h"
#include "mote/result.h"

namespace mote::hf {

/// path: a GGUF file, as gguf::File::open takes it, or a Hugging Face directory: config.json with model.safetensors, or with
/// model.safetensors.index.json and the files that it lists. A directory is translated: the File has the keys, tensor names,
/// shapes and orders of rows that the GGUF file of the same model has, so that the rest of the library knows one kind of file
/// only. Its tensors keep their types and are views of the mapped files, or are made from them row by row. Errors: io, bad_file,
/// unsupported (model_type, feature or tensor, by name; a directory without safetensors).
Result<gguf::File> open(const std::string& path);

} // namespace mote::hf

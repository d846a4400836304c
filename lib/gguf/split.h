/// A model in several files: PREFIX-00001-of-00003.gguf and so on.
#pragma once
#include <string>
#include <vector>

#include "lib/gguf/part.h"

namespace mote::gguf {

/// A file that belongs to no split gives one part. path must be the first part of a split one; the others are looked for beside
/// it. Checks that the parts belong together, except for tensors of the same name in several of them. Errors: io, bad_file,
/// unsupported (path is a later part), naming the part.
Result<std::vector<Part>> read_parts(const std::string& path);

/// The path of part `no` (from 0) of `count` beside another part of the same split.
/// Error: bad_file, if path does not end as the part `own_no` of the split must.
Result<std::string> part_path(const std::string& path, std::int64_t own_no, std::int64_t no, std::int64_t count);

} // namespace mote::gguf

/// Writing model files.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "mote/result.h"
#include "mote/spec.h"
#include "mote/types.h"

namespace mote {

struct QuantizeOptions {
  Mix mix = Mix::Q4_K_M;
  int n_threads = 0; ///< 0: default_thread_count()
  /// Called from the calling thread with the share done, 0..1. Return false to cancel.
  std::function<bool(double)> progress;
};

/// Reads a GGUF file and writes one whose tensors have the types of the mix; the metadata is kept. The output appears under
/// its name only when it is complete. Errors: io, bad_file, unsupported, invalid_argument (out_path is in_path), cancelled.
Status quantize_file(const std::string& in_path, const std::string& out_path, const QuantizeOptions& options);

/// Writes Model::random(spec, options.mix, seed) as a GGUF file: opened, it computes the same bits. Its tokenizer is made up, a
/// byte-level BPE of n_vocab tokens (none below 257 tokens). The output appears under its name only when it is complete.
/// Errors: io, invalid_argument (the spec), unsupported (a spec that no file of its family can say), cancelled.
Status save_random_model(const ModelSpec& spec, std::uint64_t seed, const std::string& out_path, const QuantizeOptions& options);

} // namespace mote

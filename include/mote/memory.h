/// What a model and a session of it will hold, known from the spec alone.
#pragma once
#include <array>
#include <cstddef>

#include "mote/model.h"
#include "mote/profile.h"
#include "mote/result.h"
#include "mote/session.h"
#include "mote/spec.h"
#include "mote/types.h"

namespace mote {

/// Bytes. What the process holds beside them is small: the program, the plan, the stacks of the threads.
struct MemoryPlan {
  MemoryUse use; ///< to the byte what Session::memory() says
  /// Of use.parameters; a matrix that is the embedding and the output too counts as embedding.
  std::array<std::size_t, kNumComponents> parameters{};
  std::size_t packing = 0; ///< of use.parameters, what packing adds to the bytes that the tensors have in a file
  std::size_t total() const noexcept { return use.parameters + use.tokenizer + use.kv_cache + use.state + use.compute; }
};

/// Of Model::random(spec, types) and a session with these options; makes no weights and takes no time worth mentioning.
/// Errors: invalid_argument (the spec or the options).
Result<MemoryPlan> memory_of(const ModelSpec& spec, Mix types, const SessionOptions& session = {});
/// Of a model that is there and another session of it. Errors: invalid_argument (the options).
Result<MemoryPlan> memory_of(const Model& model, const SessionOptions& session = {});

} // namespace mote

/// What a Model holds.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "kernels/table.h"
#include "lib/weights/weights.h"
#include "mote/model.h"
#include "mote/tokenizer.h"

namespace mote {

struct Model::Impl {
  ModelSpec spec;
  std::vector<TensorType> types; ///< of the tensors of list_tensors(spec)
  weights::Weights weights;
  Isa isa = Isa::scalar;
  const kernels::KernelTable* kernels = nullptr;
  std::string type_name;
  CacheReport cache;
  std::optional<Tokenizer> tokenizer;
  std::string tokenizer_problem; ///< why there is none though the file has one; else empty
};

} // namespace mote

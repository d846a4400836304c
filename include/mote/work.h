/// What a model has to compute, step by step.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "mote/profile.h"
#include "mote/result.h"
#include "mote/spec.h"
#include "mote/types.h"

namespace mote {

/// Products of weight matrices of one shape with the activations of a pass.
struct ProductWork {
  TensorType type = TensorType::F32;
  int n_rows = 0, n_cols = 0; ///< of one matrix: outputs and inputs
  int n_parts = 1;            ///< matrices of this shape: experts, heads
  int n_used = 0;             ///< of these, that a token uses; 0: all
  bool operator==(const ProductWork&) const = default;
};

/// What a step of the plan has to do.
struct StepWork {
  Component component = Component::other;
  Operation operation = Operation::embed;
  int layer = -1;            ///< -1: outside the layers
  bool outputs_only = false; ///< for the tokens whose logits are wanted; of a prompt that is the last one
  bool unshared = false;     ///< of a single token each thread does all, and no barrier follows
  std::vector<ProductWork> products;
  /// Floats of a token beside the products: what is normalized, embedded or activated, the state of a recurrence; of attention, a
  /// head's.
  int width = 0;
  std::optional<Activation> activation; ///< of the first half of an FFN
  int n_heads = 0, n_kv_heads = 0;      ///< of attention; both 0 where only keys are arranged
  int window = 0;                       ///< of attention: the most positions that a token attends to; 0: all
  std::int64_t ops_per_token = 0;       ///< multiplications and additions, those of products included
  bool operator==(const StepWork&) const = default;
};

/// The steps that a model of this spec and mix runs, in the order of PhaseProfile::steps.
/// Errors: those of validate(), out_of_memory.
Result<std::vector<StepWork>> work_of(const ModelSpec& spec, Mix types);

} // namespace mote

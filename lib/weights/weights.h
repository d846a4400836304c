/// The weights of a model as the decoder wants them: matrices in panels of 16 rows, vectors as floats.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "lib/gguf/file.h"
#include "lib/runtime/buffer.h"
#include "lib/runtime/thread_pool.h"
#include "lib/weights/tensors.h"
#include "mote/result.h"
#include "mote/spec.h"
#include "mote/types.h"

namespace mote::weights {

/// A packed matrix of n_rows outputs and n_cols inputs, or several of them. The panels belong to the Weights.
struct Matrix {
  TensorType type = TensorType::F32;
  int n_rows = 0;
  int n_cols = 0;
  const std::byte* panels = nullptr; ///< [n_parts, ceil(n_rows/16)] panels of kernels::panel_bytes(type, n_cols)
  std::size_t bytes = 0;             ///< of all
  int n_parts = 1;                   ///< how many there are; each begins with a panel of its own
};

/// Whether matrices of this type multiply floats; the others take their inputs quantized.
constexpr bool takes_floats(TensorType type) noexcept {
  return type == TensorType::F32 || type == TensorType::F16 || type == TensorType::BF16;
}

/// y = weight x + bias; bias [n_rows] is null where the spec has none.
struct Linear {
  Matrix weight;
  const float* bias = nullptr;
  bool is_there() const noexcept { return weight.n_rows != 0; }
  bool takes_floats() const noexcept { return weights::takes_floats(weight.type); }
  /// One of several matrices, without a bias.
  Linear part(int i) const noexcept {
    Linear one{weight, nullptr};
    one.weight.bytes = weight.bytes / static_cast<std::size_t>(weight.n_parts);
    one.weight.n_parts = 1;
    if (weight.panels) one.weight.panels += static_cast<std::size_t>(i) * one.weight.bytes;
    return one;
  }
};

/// Weight and bias of a norm, or another tensor that is kept as floats; bias is null where the spec has none.
struct Norm {
  const float* weight = nullptr;
  const float* bias = nullptr;
};

/// The weights of a layer, or those outside the layers, by role; whatever the spec does not have is empty or null.
struct RoleWeights {
  std::array<Linear, kNumRoles> linears;
  std::array<Norm, kNumRoles> norms;
  const Linear& linear(Role role) const noexcept { return linears[static_cast<std::size_t>(role)]; }
  const Norm& norm(Role role) const noexcept { return norms[static_cast<std::size_t>(role)]; }
};

/// Immutable once made. Owns all that its pointers point to.
struct Weights {
  RoleWeights model;               ///< outside the layers; output is the token embedding itself when tied
  std::vector<RoleWeights> layers; ///< of all layers, also of those that use another's
  runtime::Buffer panels, floats;
  std::size_t bytes() const noexcept { return panels.size() + floats.size(); }
};

/// Where the file rows of the tensors come from.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// The rows [first, last) of a tensor, in its type, back to back: a view, or written to scratch, which is large enough.
  /// Called by several threads at once.
  virtual const std::byte* rows(std::size_t tensor, std::int64_t first, std::int64_t last, std::byte* scratch) const = 0;
  /// Whether rows() writes to scratch.
  virtual bool needs_scratch() const noexcept = 0;
  /// The rows [first, last) have been taken.
  virtual void done(std::size_t tensor, std::int64_t first, std::int64_t last) const = 0;
};

class PackedCache;

/// Packs all tensors of list_tensors(spec), whose types are given, in parallel on the pool.
/// progress: as ModelOptions::progress; may be empty. cache: where the panels may come from and are kept, or null.
/// Errors: out_of_memory, cancelled.
Result<Weights> load_weights(const ModelSpec& spec, std::span<const TensorDesc> tensors, std::span<const TensorType> types,
                             const RowSource& source, runtime::ThreadPool& pool, const std::function<bool(double)>& progress,
                             PackedCache* cache);

/// Bytes that load_weights takes for a tensor.
std::size_t packed_bytes(const TensorDesc& desc, TensorType type);

/// The same without data: types and shapes of the matrices, and null pointers.
Weights describe_weights(const ModelSpec& spec, std::span<const TensorDesc> tensors, std::span<const TensorType> types);

/// The types of the tensors in the file, after checking that it holds exactly these tensors with these shapes.
/// Errors: bad_file (a tensor missing or of another shape), unsupported (a tensor that no part of the spec uses), by name.
Result<std::vector<TensorType>> check_tensors(const gguf::File& file, std::span<const TensorDesc> tensors);

} // namespace mote::weights

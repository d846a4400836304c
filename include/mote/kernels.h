/// The matrix kernels by themselves, for micro-benchmarks and for whoever writes another kernel beside ours.
///
///     auto w = PackedMatrix::pack(TensorType::Q4_K, rows, n_rows, n_cols);
///     auto x = Activations::quantize(isa, floats, n_tokens, n_cols);
///     Status s = mul_mat(isa, *w, *x, out, n_rows);       // mul_mat_vec is n_tokens = 1
///
/// and in loops that are timed, or shared by threads:
///
///     auto call = PreparedMulMat::prepare(isa, *w, *x, out, n_rows);
///     call->run(0, call->n_panels());
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "mote/isa.h"
#include "mote/result.h"
#include "mote/types.h"

namespace mote {

/// A weight matrix in panels of 16 rows, the layout that the kernels of every ISA read. Immutable; any thread.
class PackedMatrix {
 public:
  /// rows: [n_rows] rows of row_bytes(type, n_cols) bytes, as a GGUF file holds them; copied.
  /// Errors: invalid_argument (sizes that do not fit together), out_of_memory.
  static Result<PackedMatrix> pack(TensorType type, std::span<const std::byte> rows, int n_rows, int n_cols);
  TensorType type() const noexcept { return type_; }
  int n_rows() const noexcept { return n_rows_; }
  int n_cols() const noexcept { return n_cols_; }
  /// 64-byte aligned, in huge pages where the system has them; the layout is described in kernels/layout.h.
  std::span<const std::byte> panels() const noexcept { return panels_; }

 private:
  PackedMatrix() = default;
  TensorType type_ = TensorType::F32;
  int n_rows_ = 0, n_cols_ = 0;
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> panels_;
};

/// Activations as the kernels take them: int8 codes with a scale per 32 for quantized weights, floats for F32, F16, BF16.
class Activations {
 public:
  /// x: [n_tokens, n_cols] floats, copied. Errors: invalid_argument, out_of_memory, unsupported (the ISA).
  static Result<Activations> quantize(Isa isa, std::span<const float> x, int n_tokens, int n_cols);
  int n_tokens() const noexcept { return n_tokens_; }
  int n_cols() const noexcept { return n_cols_; }

 private:
  friend class PreparedMulMat;
  Activations() = default;
  int n_tokens_ = 0, n_cols_ = 0;
  std::shared_ptr<const void> blocks_; // [n_tokens, ceil(n_cols/256)], absent when n_cols is no multiple of 32
  std::shared_ptr<const void> floats_; // [n_tokens, n_cols]
};

/// The library that prompts are multiplied with where the weights are F32, F16 or BF16: "OpenBLAS" or "XNNPACK" in a build with
/// MOTE_WITH_OPENBLAS or MOTE_WITH_XNNPACK, else empty: our own kernels. The bits of its results are those of no other library
/// and depend on the number of tokens; quantized weights and single tokens keep every promise.
std::string_view dense_library() noexcept;

/// out[token * out_stride + row] = sum over columns of weights[row][column] * activations[token][column], one thread.
/// The same bits for every ISA and for one token as for many, unless there is a dense_library().
/// Errors: invalid_argument (n_cols differ, out too small), unsupported (an ISA that this machine cannot run).
Status mul_mat(Isa isa, const PackedMatrix& weights, const Activations& activations, std::span<float> out,
               std::size_t out_stride);

/// Where a multiplication finds its weights. Those in memory are asked for ahead, which costs time where they lie in a cache:
/// 1 to 3.5 of 13 to 19 cycles for 256 weights from the second-level cache (AVX2).
enum class WeightsIn { memory, cache };

/// mul_mat() with all that precedes the kernel done once: running it checks, looks up and allocates nothing, and several threads
/// may share the panels of 16 rows. Keeps weights and activations alive; immutable; copies are the same call.
class PreparedMulMat {
 public:
  /// out must outlive the call. Errors: those of mul_mat(), out_of_memory.
  static Result<PreparedMulMat> prepare(Isa isa, const PackedMatrix& weights, const Activations& activations,
                                        std::span<float> out, std::size_t out_stride,
                                        WeightsIn weights_in = WeightsIn::memory);
  int n_panels() const noexcept;
  /// Computes the rows 16 * first .. 16 * last - 1, of every token; 0 <= first <= last <= n_panels(). Any thread; several threads
  /// at once on different panels.
  void run(int first, int last) const noexcept;

 private:
  struct Call;
  explicit PreparedMulMat(std::shared_ptr<const Call> call) : call_(std::move(call)) {}
  std::shared_ptr<const Call> call_;
};

} // namespace mote

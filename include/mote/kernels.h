/// The matrix kernels by themselves, for micro-benchmarks and for whoever writes another kernel beside ours.
///
///     auto w = PackedMatrix::pack(TensorType::Q4_K, rows, n_rows, n_cols);
///     auto x = Activations::quantize(isa, floats, n_tokens, n_cols);
///     Status s = mul_mat(isa, *w, *x, out, n_rows);       // mul_mat_vec is n_tokens = 1
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

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
  /// 64-byte aligned; the layout is described in kernels/layout.h.
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
  friend Status mul_mat(Isa, const PackedMatrix&, const Activations&, std::span<float>, std::size_t);
  Activations() = default;
  int n_tokens_ = 0, n_cols_ = 0;
  std::shared_ptr<const void> blocks_; // [n_tokens, ceil(n_cols/256)], absent when n_cols is no multiple of 32
  std::shared_ptr<const void> floats_; // [n_tokens, n_cols]
};

/// out[token * out_stride + row] = sum over columns of weights[row][column] * activations[token][column], one thread.
/// The same bits for every ISA and for one token as for many.
/// Errors: invalid_argument (n_cols differ, out too small), unsupported (an ISA that this machine cannot run).
Status mul_mat(Isa isa, const PackedMatrix& weights, const Activations& activations, std::span<float> out, std::size_t out_stride);

} // namespace mote

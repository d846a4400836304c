/// Tensors whose rows are those of stored tensors in another order, made when they are asked for.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lib/gguf/file.h"

namespace mote::hf {

/// Which rows of a stored tensor become rows of another one: three nested counts, each with its step through the stored rows.
/// Row (a, b, c) is the stored row first + a steps[0] + b steps[1] + c steps[2].
struct RowOrder {
  std::int64_t first = 0;
  std::array<std::int64_t, 3> counts{1, 1, 1};
  std::array<std::int64_t, 3> steps{0, 0, 1};
  std::int64_t n_stored = 0; ///< rows that the stored tensor must have; 0: all rows as they are, however many

  /// Whether no row is beyond these.
  bool is_within(std::int64_t n) const noexcept;
  std::int64_t n_rows() const noexcept { return counts[0] * counts[1] * counts[2]; }
  std::int64_t row(std::int64_t i) const noexcept {
    const std::int64_t c = i % counts[2], ab = i / counts[2];
    return first + ab / counts[1] * steps[0] + ab % counts[1] * steps[1] + c * steps[2];
  }
};

/// The rows of each head from halves, as transformers rotates them, to pairs side by side, as GGUF files of llama models do.
RowOrder pairs(int n_heads, int head_dim);
/// Rows [first, first + n) of n_stored.
RowOrder slice(std::int64_t first, std::int64_t n, std::int64_t n_stored);
/// One of n_parts parts of equal size of every group: of rows stored as [n_groups, n_parts, n_rows], all rows of that part.
RowOrder part_of_each(int part, int n_groups, int n_parts, int n_rows);
/// Rows stored as [n_groups, n_parts, n_rows] in the order [n_parts, n_groups, n_rows]: fused q, k, v of each head to all q,
/// all k, all v.
RowOrder parts_first(int n_groups, int n_parts, int n_rows);

/// The rows of one stored tensor. stored: [n_stored rows, n_cols], or, when its columns are the rows to be, [n_cols, n_stored].
struct Piece {
  std::span<const std::byte> data;
  TensorType type = TensorType::F32; ///< F32, F16 or BF16
  RowOrder order;
  std::size_t row_step = 0, col_step = 1; ///< in numbers of its type
  float (*change)(float) = nullptr;       ///< of each number; null: none
};

/// The rows of all pieces, one piece behind the other, n_cols numbers each. type: that of all pieces if none changes numbers, or
/// F32.
std::shared_ptr<const gguf::RowMaker> make_rows(std::vector<Piece> pieces, TensorType type, std::size_t n_cols);

} // namespace mote::hf

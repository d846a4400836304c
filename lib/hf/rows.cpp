#include "lib/hf/rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "quant/quant.h"

namespace mote::hf {

namespace {

class PieceRows final : public gguf::RowMaker {
 public:
  PieceRows(std::vector<Piece> pieces, TensorType type, std::size_t n_cols)
      : pieces_(std::move(pieces)), type_(type), n_cols_(n_cols) {}

  void make(std::int64_t first, std::int64_t last, std::byte* out) const override {
    const std::size_t stride = row_bytes(type_, n_cols_);
    for_each_piece(first, last, [&](const Piece& piece, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, out += stride) make_row(piece, piece.order.row(i), out);
    });
  }

  std::vector<std::span<const std::byte>> sources(std::int64_t first, std::int64_t last) const override {
    std::vector<std::span<const std::byte>> ranges;
    for_each_piece(first, last, [&](const Piece& piece, std::int64_t begin, std::int64_t end) {
      std::int64_t low = piece.order.row(begin), high = low;
      for (std::int64_t i = begin; i < end; ++i) {
        low = std::min(low, piece.order.row(i));
        high = std::max(high, piece.order.row(i));
      }
      const std::size_t row = row_bytes(piece.type, n_cols_);
      // rows that are stored as columns lie all over the tensor
      ranges.push_back(piece.col_step == 1 ? piece.data.subspan(static_cast<std::size_t>(low) * row,
                                                                static_cast<std::size_t>(high - low + 1) * row)
                                           : piece.data);
    });
    return ranges;
  }

 private:
  /// visit(piece, begin, end) for each piece that has some of the rows, with their numbers within the piece.
  template <class Visit> void for_each_piece(std::int64_t first, std::int64_t last, Visit visit) const {
    std::int64_t start = 0;
    for (const Piece& piece : pieces_) {
      const std::int64_t end = start + piece.order.n_rows();
      if (first < end && last > start) visit(piece, std::max(first, start) - start, std::min(last, end) - start);
      start = end;
    }
  }

  void make_row(const Piece& piece, std::int64_t row, std::byte* out) const {
    const std::size_t size = row_bytes(piece.type, 1);
    const std::byte* from = piece.data.data() + static_cast<std::size_t>(row) * piece.row_step * size;
    if (piece.type == type_ && !piece.change) {
      if (piece.col_step == 1) {
        std::memcpy(out, from, n_cols_ * size);
      } else {
        for (std::size_t col = 0; col < n_cols_; ++col) std::memcpy(out + col * size, from + col * piece.col_step * size, size);
      }
      return;
    }
    for (std::size_t col = 0; col < n_cols_; ++col) {
      float number = 0;
      quant::dequantize(piece.type, from + col * piece.col_step * size, {&number, 1});
      if (piece.change) number = piece.change(number);
      std::memcpy(out + col * sizeof number, &number, sizeof number);
    }
  }

  std::vector<Piece> pieces_;
  TensorType type_;
  std::size_t n_cols_;
};

} // namespace

bool RowOrder::is_within(std::int64_t n) const noexcept {
  std::int64_t low = first, high = first;
  for (std::size_t d = 0; d < counts.size(); ++d) {
    if (counts[d] < 0) return false;
    const std::int64_t reach = (counts[d] - 1) * steps[d];
    (reach < 0 ? low : high) += reach;
  }
  return n_rows() == 0 || (low >= 0 && high < n);
}

RowOrder pairs(int n_heads, int head_dim) {
  const std::int64_t half = head_dim / 2;
  return {0, {n_heads, half, 2}, {head_dim, 1, half}, std::int64_t{n_heads} * head_dim};
}

RowOrder slice(std::int64_t first, std::int64_t n, std::int64_t n_stored) { return {first, {1, 1, n}, {0, 0, 1}, n_stored}; }

RowOrder part_of_each(int part, int n_groups, int n_parts, int n_rows) {
  const std::int64_t group = std::int64_t{n_parts} * n_rows;
  return {std::int64_t{part} * n_rows, {1, n_groups, n_rows}, {0, group, 1}, n_groups * group};
}

RowOrder parts_first(int n_groups, int n_parts, int n_rows) {
  const std::int64_t group = std::int64_t{n_parts} * n_rows;
  return {0, {n_parts, n_groups, n_rows}, {n_rows, group, 1}, n_groups * group};
}

std::shared_ptr<const gguf::RowMaker> make_rows(std::vector<Piece> pieces, TensorType type, std::size_t n_cols) {
  return std::make_shared<const PieceRows>(std::move(pieces), type, n_cols);
}

} // namespace mote::hf

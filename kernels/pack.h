/// Rows of file blocks to panels of 16 rows and back: the same bytes rearranged so that a kernel reads them once, front to back.
#pragma once
#include <cstddef>
#include <span>

#include "kernels/layout.h"
#include "mote/types.h"

namespace mote::kernels {

/// Bytes of one panel, a multiple of 64. n_cols is a multiple of the type's block_weights.
std::size_t panel_bytes(TensorType type, int n_cols) noexcept;
inline int panel_count(int n_rows) noexcept { return (n_rows + kPanelRows - 1) / kPanelRows; }

/// n_rows <= 16 rows of row_bytes(type, n_cols) bytes each, consecutive -> one panel; missing rows are zero weights.
void pack_panel(TensorType type, const std::byte* rows, int n_rows, int n_cols, std::byte* panel) noexcept;
/// The file bytes of one row of a panel: the inverse of pack_panel.
void unpack_row(TensorType type, const std::byte* panel, int row, int n_cols, std::byte* out) noexcept;

} // namespace mote::kernels

// Memory layouts shared by every ISA: activation blocks and weight panels. Nothing here depends on an instruction set or on
// the standard library beyond its C types; the ISA units include it.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mote::kernels {

static constexpr int kPanelRows = 16;

/// 256 quantized activations of one token: int8 codes in [-127, 127], one scale per 32 of them. A row whose length is no
/// multiple of 256 ends in a block whose tail nobody looks at. One block format serves every weight format and every ISA.
/// Zero where the 32 are all below 2^-90. If any of the 32 is infinite or not a number, its codes are 0 and its scale and sum are
/// NaN (0x7fc00000), so that every product with it is NaN.
struct alignas(64) ActBlock {
  int8_t q[256];
  float scale[8];           // activation = scale * q
  float scale_16th[8];      // scale / 16, exact: for ISAs that multiply high nibbles in place, as 16 * code
  int16_t neg_sum16[16][2]; // minus the sum of 16 codes, split: [0] over columns 0,1 (mod 4), [1] over columns 2,3
  int16_t neg_sum32[8][2];  // the same for 32 codes. The split is what 16-bit pair accumulators start from.
  float sum[8];             // scale * sum of the 32 codes: what the minimum of a weight block is multiplied with
};
static_assert(sizeof(ActBlock) == 448);

/// A panel is 16 rows of a matrix: the file's bytes, reordered so that a kernel reads them once, front to back. Each file in
/// kernels/formats describes the panels of its type. Common to all:
/// - A *plane* is 64 bytes: byte 4*row + k belongs to row `row` and to column k of some group of four columns.
/// - Numbers that a row has once per block (f16 scales) stand in a header [16 rows] in front of the block's planes. Headers
///   shorter than 64 bytes share a line: two (or four) headers, then the planes of those blocks; what is left over is zero.
///   So every plane is aligned and there is one stream.
/// - A panel is a multiple of 64 bytes. The last panel of a matrix is filled up with rows of zeros.
struct FormatLayout {
  int block_cols;       // columns of a block
  int file_block_bytes; // of one row in the file
  int header_bytes;     // of 16 rows: 0, 16, 32 or 64
  int plane_bytes;      // of 16 rows, without the header
};

static constexpr size_t panel_size(const FormatLayout& layout, int n_cols) {
  const size_t n_blocks = static_cast<size_t>(n_cols / layout.block_cols);
  const size_t planes = (n_blocks * static_cast<size_t>(layout.plane_bytes) + 63) / 64 * 64;
  return planes + (n_blocks * static_cast<size_t>(layout.header_bytes) + 63) / 64 * 64;
}

static constexpr int act_blocks(int n_cols) { return (n_cols + 255) / 256; }

} // namespace mote::kernels

// Memory layouts shared by every ISA: activation blocks and weight panels. Nothing here depends on an instruction set or on
// the standard library beyond its C types; the ISA units include it.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mote::kernels {

static constexpr int kPanelRows = 16;

/// 256 quantized activations of one token. int8 codes in [-127, 127], one scale per 32. A row whose length is no
/// multiple of 256 ends in a block whose tail is zero. One block format serves every weight format and every ISA.
struct alignas(64) ActBlock {
  int8_t q[256];
  float scale[8];           // activation = scale * q
  float scale_16th[8];      // scale / 16, exact: for ISAs that multiply high nibbles in place, as 16 * code
  int16_t neg_sum16[16][2]; // minus the sum of 16 codes, split: [0] over columns 0,1 (mod 4), [1] over columns 2,3
  int16_t neg_sum32[8][2];  // the same for 32 codes. The split is what 16-bit pair accumulators start from.
  float min_scale;          // scale[b] * sum(q of block b) = min_scale * (128 * min_parts[8+b] + min_parts[b])
  int8_t min_parts[16];     // [0..7] low parts 0..127, [8..15] high parts -127..127
  uint8_t padding[12];
};
static_assert(sizeof(ActBlock) == 448);

static constexpr int act_blocks(int n_cols) { return (n_cols + 255) / 256; }

} // namespace mote::kernels

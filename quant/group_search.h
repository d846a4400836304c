/// Searches for the formats of 256 weights, whose groups have small whole-number scales (and minima) times an f16 unit.
#pragma once
#include <cstdint>

#include "quant/search.h"

namespace mote::quant {

/// weight = d * scales[i / 16] * code
struct GroupScales {
  std::uint16_t d = 0;
  int scales[16] = {};
};

/// x: [256], clean. The sweeps are of a group's scale and of the unit d.
GroupScales best_group_scales(const float* x, CodeRange codes, Sweep sweep, CodeRange scale_codes, Sweep unit_sweep) noexcept;

/// weight = d * scales[i / 32] * code - d_min * mins[i / 32]
struct AffineGroups {
  std::uint16_t d = 0, d_min = 0;
  int scales[8] = {}, mins[8] = {}; // 0 .. 63
};

/// x: [256], clean. Codes are 0 .. highest_code.
AffineGroups best_affine_groups(const float* x, float highest_code) noexcept;

} // namespace mote::quant

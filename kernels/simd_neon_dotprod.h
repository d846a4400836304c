// ISA policy: NEON with the dot product instructions of ARMv8.2 (FEAT_DotProd).
#pragma once
#include "kernels/simd_neon.h"

namespace mote::kernels {
namespace {

struct NeonDotprod : Neon {
  static constexpr const char* kName = "neon-dotprod";

  static constexpr int kTileTokens = 2;
  static constexpr int kExpandedTileTokens = 4; // of mul_mat_expanded
  static constexpr bool kExpandsBytes = true;   // its tile is larger: a sixth fewer instructions for Q8_0
  template <Code> static constexpr int kDotGroups = 8;
  template <Code> using Dot = I32;

  template <Code kCode> PRIMITIVE I32 dot_start(const int16_t* neg_sum) {
    if constexpr (kCode == Code::kS8 || code_offset(kCode) == 0) {
      return I32{};
    } else {
      const int32x4_t start = vdupq_n_s32((neg_sum[0] + neg_sum[1]) * code_offset(kCode));
      return each<I32>([=](int) { return start; });
    }
  }
  template <Code, int kGroup> PRIMITIVE void dot_add(I32& dot, Bytes w, Act a) {
    EACH(i) dot.v[i] = vdotq_laneq_s32(dot.v[i], vreinterpretq_s8_u8(w.v[i]), a, kGroup);
  }
  template <Code> PRIMITIVE I32 dot_sum(I32 dot) { return dot; }
  template <Code> PRIMITIVE I32 dot_scaled(I32 dot, Scales s) {
    return each<I32>([&](int i) { return vmulq_s32(dot.v[i], s.v[i]); });
  }
  template <Code> PRIMITIVE I32 dot_scaled_add(I32 acc, I32 dot, Scales s) {
    return each<I32>([&](int i) { return vmlaq_s32(acc.v[i], dot.v[i], s.v[i]); });
  }
};

} // namespace
} // namespace mote::kernels

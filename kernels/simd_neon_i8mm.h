// ISA policy: NEON with products of int8 matrices (FEAT_I8MM). One to three tokens are left to the dot products; mul_mat_i8mm.h
// computes more of them.
#pragma once
#include "kernels/simd_neon_dotprod.h"

namespace mote::kernels {
namespace {

struct NeonI8mm : NeonDotprod {
  static constexpr const char* kName = "neon-i8mm";
};

} // namespace
} // namespace mote::kernels

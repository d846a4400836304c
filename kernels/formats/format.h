// What the format files share. A format is a struct with
//   kLayout                                      its panel's measures
//   pack_block(block, row, header, planes)       one block of one row of the file into the panel block
//   unpack_block(header, planes, row, block)     and back, to the byte
//   multiply<P>(header, planes, ...)             16 rows of one block times kNT tokens, over an ISA policy P (see simd_scalar.h);
//                                                planes: const uint8_t*, or LinesAhead (kernels/prefetch.h)
// Included by the ISA units and by pack.cpp: no standard library, everything in an anonymous namespace.
//
// Integer work is exact, so a policy may do it in any way; floating-point work is lane-wise mul, add and fma only, written here,
// in this order: that is what makes all ISAs agree to the last bit.
#pragma once
#include "kernels/code_kinds.h"
#include "kernels/layout.h"
#include "kernels/prefetch.h"

namespace mote::kernels {
namespace {

#define INLINE __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
/// Read again what follows instead of keeping it from before: fewer live registers.
#define FORGET_LOADS() asm volatile("" ::: "memory")
#define EACH_TOKEN(t) _Pragma("GCC unroll 8") for (int t = 0; t < kNT; ++t)

/// The activations of kNT tokens that one block of weights meets.
struct Acts {
  const ActBlock* first;
  ptrdiff_t stride; // from token to token
  const ActBlock& operator[](int token) const { return first[token * stride]; }
};

/// Calls fn<0..3>(): the four groups of one P::Act, whose number must be a constant for products by lane.
template <class Fn> INLINE inline void four_groups(Fn fn) {
  fn.template operator()<0>();
  fn.template operator()<1>();
  fn.template operator()<2>();
  fn.template operator()<3>();
}

inline uint32_t load_word(const uint8_t* p) {
  uint32_t v;
  __builtin_memcpy(&v, p, 4);
  return v;
}
inline void store_word(uint8_t* p, uint32_t v) { __builtin_memcpy(p, &v, 4); }
inline void copy_half(uint8_t* to, const uint8_t* from) { __builtin_memcpy(to, from, 2); }

/// What the blocks of a format consist of once they are unpacked; see kernels/expanded.h.
struct Expansion {
  Code code;
  int integer_scales; ///< of each row and 32 columns: 0 (it is a float), 1 or 2
  bool mins;          ///< of each row and 32 columns, multiplied with the sum of the activations
};

/// acc += dot * (d * activation scale): the end of a block with one float scale per row and 32 columns.
/// b: which 32 columns of the activation block.
template <class P, Code kCode, int kNT>
INLINE inline void add_block_32(typename P::F32 d, Acts act, int b, const typename P::template Dot<kCode> (&dot)[kNT],
                                typename P::F32 (&acc)[kNT]) {
  EACH_TOKEN(t)
    acc[t] = P::fma(P::to_f32(P::template dot_sum<kCode>(dot[t])), P::mul(d, P::splat(act[t].scale[b])), acc[t]);
}

} // namespace
} // namespace mote::kernels

// What a panel is unpacked to where many tokens share that work: 256 columns of 16 rows, one byte a code, the scales ready to
// multiply. A format that can be unpacked so has
//   kExpansion                            what its blocks consist of (struct Expansion)
//   expand<P>(header, planes, b, out)     one block of the panel into out; b: which 32-block of the 256 columns it is
// and calls, as far as it has them,
//   out.codes(b, k, even, odd)   32-block b: operands of the groups of four columns 2k and 2k + 1
//   out.scale(i, s)              integer scale of the 32-block i, or of the 16-block i
//   out.d(b, d)                  float scale of the 32-block b
//   out.d_of_all(d)              what multiplies the sums of all 256 columns
//   out.min(b, m)                of the 32-block b; out.d_min(d): what multiplies their sum
// Included by the ISA units only.
#pragma once
#include "kernels/formats/format.h"

namespace mote::kernels {
namespace {

/// 256 columns of 16 rows for the policy P, operands as P::dot_add wants them.
template <class P> class Expanded {
 public:
  using Bytes = typename P::Bytes;
  using Scales = typename P::Scales;
  using F32 = typename P::F32;

  INLINE void codes(int b, int k, Bytes even, Bytes odd) {
    codes_[b][2 * k] = even;
    codes_[b][2 * k + 1] = odd;
  }
  INLINE void scale(int i, Scales s) { scales_[i] = s; }
  INLINE void d(int b, F32 d) { d_[b] = d; }
  INLINE void d_of_all(F32 d) { d_of_all_ = d; }
  INLINE void min(int b, F32 m) { mins_[b] = m; }
  INLINE void d_min(F32 d) { d_min_ = d; }

  const Bytes (&codes(int b) const)[8] { return codes_[b]; }
  // References: gcc copies a value through smaller registers, which the loads behind it then wait for.
  const Scales& scale(int i) const { return scales_[i]; }
  const F32& d(int b) const { return d_[b]; }
  const F32& d_of_all() const { return d_of_all_; }
  const F32& min(int b) const { return mins_[b]; }
  const F32& d_min() const { return d_min_; }

 private:
  Bytes codes_[8][8]; // [32-block, group]
  Scales scales_[16];
  F32 d_[8], mins_[8], d_of_all_, d_min_;
};

/// Blocks first .. first + n - 1 of a panel, together at most 256 columns, into out.
template <class P, class Format, class Out>
NOINLINE void expand_blocks(const uint8_t* panel, int first, int n, Out& out) {
  constexpr FormatLayout kLayout = Format::kLayout;
  constexpr int kInLine = 64 / kLayout.header_bytes; // headers
  for (int i = 0; i < n; ++i) {
    const uint8_t* line = panel + static_cast<size_t>((first + i) / kInLine) * (64 + kInLine * kLayout.plane_bytes);
    const int place = (first + i) % kInLine;
    Format::template expand<P>(line + place * kLayout.header_bytes, line + 64 + place * kLayout.plane_bytes, i, out);
  }
}

} // namespace
} // namespace mote::kernels

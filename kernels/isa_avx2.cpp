// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#ifdef MOTE_HAVE_X86
#include "kernels/simd_avx2.h"

#include "kernels/make_table.h"
#include "kernels/mul_mat_expanded.h"

namespace mote::kernels {
namespace {

template <class Format> constexpr auto choose_mul_mat() {
  if constexpr (requires { Format::kExpansion; }) // products of signed bytes take so long that unpacking them does not count
    if constexpr (Format::kExpansion.code != Code::kS8) return mul_mat_expanded<Avx2, Format>;
  return mul_mat<Avx2, Format>;
}

template <class... Formats> constexpr KernelTable with_expansion(KernelTable table, FormatList<Formats...>) {
  int i = 0;
  ((table.mul_mat[i++] = choose_mul_mat<Formats>()), ...);
  return table;
}

} // namespace

extern const KernelTable kAvx2Kernels = with_expansion(make_table<Avx2>(), AllFormats{});

} // namespace mote::kernels
#endif

// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#ifdef MOTE_HAVE_ARM
#include "kernels/mul_mat_i8mm.h"

#include "kernels/make_table.h"

namespace mote::kernels {
namespace {

template <class Format> constexpr auto choose_mul_mat() {
  if constexpr (requires { Format::kExpansion; }) return mul_mat_i8mm<Format>;
  else return mul_mat<NeonI8mm, Format>;
}

template <class... Formats> constexpr KernelTable with_tiles(KernelTable table, FormatList<Formats...>) {
  int i = 0;
  ((table.mul_mat[i++] = choose_mul_mat<Formats>()), ...);
  return table;
}

} // namespace

extern const KernelTable kNeonI8mmKernels = with_tiles(make_table<NeonI8mm>(), AllFormats{});

} // namespace mote::kernels
#endif

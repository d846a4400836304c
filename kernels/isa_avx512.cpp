// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#ifdef MOTE_HAVE_X86
#include "kernels/simd_avx512.h"

#include "kernels/make_table.h"

namespace mote::kernels {

extern const KernelTable kAvx512Kernels = make_table<Avx512>();

} // namespace mote::kernels
#endif

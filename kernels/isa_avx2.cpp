// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#ifdef MOTE_HAVE_X86
#include "kernels/simd_avx2.h"

#include "kernels/make_table.h"

namespace mote::kernels {

extern const KernelTable kAvx2Kernels = make_table<Avx2>();

} // namespace mote::kernels
#endif

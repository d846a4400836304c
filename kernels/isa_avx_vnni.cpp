// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#ifdef MOTE_HAVE_X86
#include "kernels/simd_avx_vnni.h"

#include "kernels/make_table.h"

namespace mote::kernels {

extern const KernelTable kAvxVnniKernels = make_table<AvxVnni>();

} // namespace mote::kernels
#endif

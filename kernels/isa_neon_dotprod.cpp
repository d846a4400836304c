// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#ifdef MOTE_HAVE_ARM
#include "kernels/simd_neon_dotprod.h"

#include "kernels/make_table.h"

namespace mote::kernels {

extern const KernelTable kNeonDotprodKernels = make_table<NeonDotprod>();

} // namespace mote::kernels
#endif

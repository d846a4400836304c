// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#ifdef MOTE_HAVE_ARM
#include "kernels/simd_neon_dotprod.h"

#include "kernels/make_table.h"
#include "kernels/mul_mat_expanded.h"

namespace mote::kernels {

extern const KernelTable kNeonDotprodKernels = with_expansion<NeonDotprod>(make_table<NeonDotprod>(), AllFormats{});

} // namespace mote::kernels
#endif

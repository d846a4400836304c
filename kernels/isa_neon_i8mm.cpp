// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#ifdef MOTE_HAVE_ARM
#include "kernels/mul_mat_i8mm.h"

#include "kernels/make_table.h"

namespace mote::kernels {

extern const KernelTable kNeonI8mmKernels = make_table<NeonI8mm>();

} // namespace mote::kernels
#endif

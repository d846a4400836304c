// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#include "kernels/simd_scalar.h"

#include "kernels/make_table.h"

namespace mote::kernels {

extern const KernelTable kScalarKernels = make_table<Scalar>();

} // namespace mote::kernels

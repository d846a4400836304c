// The policy for AVX-VNNI with AVX-512's encoding of the same instruction, so that processors which have only that one test it.
// Compiled as an ISA unit; its own flags (cmake/isa.cmake).
#include "kernels/table.h"

#ifdef MOTE_HAVE_X86
#include "kernels/simd_avx_vnni.h"

#include "kernels/make_table.h"

namespace kernel_tests {

extern const mote::kernels::KernelTable kAvxVnniEvexKernels;
constinit const mote::kernels::KernelTable kAvxVnniEvexKernels = mote::kernels::make_table<mote::kernels::AvxVnni>();

} // namespace kernel_tests
#endif

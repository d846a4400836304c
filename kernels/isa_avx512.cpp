// An ISA unit: its own compiler flags (cmake/isa.cmake), no standard library, one external symbol.
#include "kernels/table.h"

#ifdef MOTE_HAVE_X86
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized" // gcc 12 means its own _mm512_undefined_ps and the like
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "kernels/simd_avx512.h"

#include "kernels/make_table.h"

namespace mote::kernels {

extern const KernelTable kAvx512Kernels = make_table<Avx512>();

} // namespace mote::kernels
#endif

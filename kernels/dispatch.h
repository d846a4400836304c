/// From an ISA's name to its kernels.
#pragma once
#include <cstdint>

#include "kernels/table.h"
#include "mote/isa.h"
#include "mote/result.h"

namespace mote::kernels {

/// Error: unsupported, when this machine cannot run it.
Result<const KernelTable*> kernels_for(Isa isa);

/// What a processor and its operating system say of themselves; zero where they do not.
struct CpuState {
  std::uint32_t leaf1_ecx = 0, leaf7_ebx = 0, leaf7_ecx = 0, leaf7_1_eax = 0; ///< x86: of the instruction cpuid
  std::uint64_t xcr0 = 0;              ///< x86: which registers the system saves at a thread switch
  std::uint64_t hwcap = 0, hwcap2 = 0; ///< ARM: the system's list of capabilities
};
CpuState cpu_state() noexcept;
/// Whether a machine in this state can run the ISA.
bool can_run(Isa isa, const CpuState& state) noexcept;

/// default_isa() with the value of MOTE_ISA given; null or empty: not set.
Result<Isa> choose_isa(const char* wanted, const CpuState& state);

} // namespace mote::kernels

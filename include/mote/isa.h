/// Instruction sets: which kernels exist, which this machine can run, which one a model uses.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "mote/result.h"

namespace mote {

/// Those of each processor family ordered from the slowest to the fastest. All compute the same bits.
enum class Isa : std::uint8_t { scalar, avx2, avx_vnni, avx512, neon, neon_dotprod, neon_i8mm };

/// Every ISA that this build has kernels for.
std::span<const Isa> all_isas() noexcept;
/// "scalar", "avx2", "avx-vnni", "avx512", "neon", "neon-dotprod", "neon-i8mm".
std::string_view isa_name(Isa isa) noexcept;
/// Error: invalid_argument, listing the names.
Result<Isa> isa_from_name(std::string_view name);
/// Whether the processor has the instructions and the operating system saves their registers.
bool isa_available(Isa isa) noexcept;
/// The environment variable MOTE_ISA if set and not empty, else the fastest available one.
/// Error: invalid_argument for an unknown name, unsupported for an ISA that this machine cannot run.
Result<Isa> default_isa();

} // namespace mote

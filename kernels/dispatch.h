/// From an ISA's name to its kernels.
#pragma once
#include "kernels/table.h"
#include "mote/isa.h"
#include "mote/result.h"

namespace mote::kernels {

/// Error: unsupported, when this machine cannot run it.
Result<const KernelTable*> kernels_for(Isa isa);

} // namespace mote::kernels

/// MOTE_WITH_OPENBLAS and MOTE_WITH_XNNPACK: another library's product in place of ours, for prompts and dense weights.
#pragma once
#include "kernels/table.h"

namespace mote::kernels {

/// Calls of so few tokens stay with our kernels: converting the weights would cost more than is gained.
static constexpr int kDenseLibraryTokens = 16;

/// The table itself; in a build with another library a copy whose mul_mat of F32, F16 and BF16 goes through it, from
/// kDenseLibraryTokens tokens on. Its results differ from ours in the last bits, and with the number of tokens.
/// Sets OpenBLAS to one thread, for the whole process: our threads call it side by side.
const KernelTable* with_dense_library(const KernelTable* own);

} // namespace mote::kernels

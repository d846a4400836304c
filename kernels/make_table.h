// The table of an ISA unit: every kernel, instantiated over the unit's policy. Included by the ISA units only.
#pragma once
#include "kernels/table.h"

namespace mote::kernels {
namespace {

template <class P>
constexpr KernelTable make_table() {
  KernelTable table{};
  table.name = P::kName;
  return table;
}

} // namespace
} // namespace mote::kernels

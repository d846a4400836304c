// The table of an ISA unit: every kernel, instantiated over the unit's policy. Included by the ISA units only.
#pragma once
#include "kernels/attention.h"
#include "kernels/formats/all.h"
#include "kernels/mul_mat_expanded.h"
#include "kernels/quantize_row.h"
#include "kernels/recurrence.h"
#include "kernels/table.h"
#include "kernels/vec_activation.h"
#include "kernels/vec_convert.h"
#include "kernels/vec_norm.h"
#include "kernels/vec_rope.h"
#include "kernels/vec_softmax.h"

namespace mote::kernels {
namespace {

/// The entry of one activation; number: of mote::Activation.
template <class P, class Function> constexpr void set_activation(KernelTable& table, int number) {
  table.activate[number] = activate<P, Function>;
  table.gate[number] = gate<P, Function>;
}

template <class P> constexpr void set_vector_operations(KernelTable& table) {
  table.rms_norm = rms_norm<P>;
  table.layer_norm = layer_norm<P>;
  table.add = add<P>;
  table.scale = scale<P>;
  table.clamp = clamp<P>;
  table.softcap = softcap<P>;
  table.multiply = multiply<P>;
  table.softmax = softmax<P>;
  set_activation<P, Silu>(table, 0);
  set_activation<P, GeluTanh>(table, 1);
  set_activation<P, GeluErf>(table, 2);
  set_activation<P, Relu>(table, 3);
  set_activation<P, ReluSquared>(table, 4);
  table.rope_interleaved = rope_interleaved;
  table.rope_halves = rope_halves;
  table.f16_from_f32 = f16_from_f32<P>;
  table.f16_from_f32_lane = f16_from_f32_lane<P>;
  table.attention[0] = attention<P, uint16_t>;
  table.attention[1] = attention<P, float>;
  table.attend_chunk[0] = attend_chunk<P, uint16_t>;
  table.attend_chunk[1] = attend_chunk<P, float>;
  table.merge_chunks = merge_chunks<P>;
  table.causal_conv = causal_conv<P>;
  table.mamba_scan = mamba_scan<P>;
  table.mamba2_scan = mamba2_scan<P>;
  table.rg_lru = rg_lru<P>;
}

template <class P, class... Formats> constexpr void set_mul_mat(KernelTable& table, FormatList<Formats...>) {
  int i = 0;
  ((table.mul_mat[i++] = kMulMat<P, Formats>), ...);
}

template <class P> constexpr KernelTable make_table() {
  KernelTable table{};
  table.name = P::kName;
  set_mul_mat<P>(table, AllFormats{});
  table.quantize_row = quantize_row;
  set_vector_operations<P>(table);
  return table;
}

} // namespace
} // namespace mote::kernels

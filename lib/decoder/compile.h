/// From a spec and its weights to a plan.
#pragma once
#include <span>

#include "lib/decoder/buffers.h"
#include "lib/decoder/plan.h"
#include "lib/weights/weights.h"
#include "mote/spec.h"

namespace mote::decoder {

/// Steps, each ending at a barrier, of a sequential layer: norm, qkv, cache, attention, [quantize], output + residual, norm,
/// gate/up + activation, [quantize], down + residual: 10 with quantized weights, 8 without; a parallel layer has no second norm.
/// All arguments must outlive the plan.
Plan compile(const ModelSpec& spec, const weights::Weights& weights, Buffers& buffers, std::span<const LayerCache> cache);

} // namespace mote::decoder

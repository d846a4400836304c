#include <algorithm>
#include <string>

#include "lib/gguf/format.h"
#include "lib/spec/limits.h"
#include "lib/spec/metadata.h"

namespace mote::spec {

void read_experts(Metadata& metadata, ModelSpec& spec) {
  constexpr std::string_view kOld = "blk.0.ffn_up.0.weight";
  if (metadata.has_tensor(kOld))
    metadata.fail(ErrorCode::unsupported, "tensor " + gguf::quote(kOld) + " is that of a single expert, as old files have it; " +
                                              "supported: those of all experts in one, \"blk.0.ffn_up_exps.weight\"");
  constexpr int kAny = 1 << 30, kUnsaid = 0, kSoftmax = 1;
  if (const int found = metadata.integer_or("expert_gating_func", kUnsaid, 0, kAny); found != kUnsaid && found != kSoftmax)
    metadata.fail(ErrorCode::unsupported, metadata.full_key("expert_gating_func") + " is " + std::to_string(found) +
                                              ", which is not supported; supported: 1, softmax");
  ExpertsSpec experts = *spec.layers[0].ffn->experts;
  experts.n_experts = metadata.integer("expert_count", 1, kMaxExperts);
  experts.n_used = metadata.integer("expert_used_count", 1, experts.n_experts);
  experts.scale = static_cast<float>(metadata.real_or("expert_weights_scale", experts.scale));
  if (experts.scale == 0) experts.scale = 1; // how files say that it is not used
  if (metadata.has("expert_weights_norm"))
    experts.router = metadata.boolean_or("expert_weights_norm", false) ? Router::softmax_of_used : Router::softmax;

  const std::size_t n_layers = spec.layers.size();
  const auto n_dense = static_cast<std::size_t>(metadata.integer_or("leading_dense_block_count", 0, 0, kMaxLayers));
  for (std::size_t i = 0; i < std::min(n_dense, n_layers); ++i) spec.layers[i].ffn->experts.reset();
  for (std::size_t i = n_dense; i < n_layers; ++i) {
    FfnSpec& ffn = *spec.layers[i].ffn;
    ffn.experts = experts;
    ffn.d_ff = metadata.integer_or("expert_feed_forward_length", ffn.d_ff, 1, kMaxDFf);
    if (!metadata.layer_has(i, "ffn_up_shexp.weight")) continue;
    ffn.experts->shared_d_ff = metadata.matrix_rows("blk." + std::to_string(i) + ".ffn_up_shexp.weight", kMaxDFf);
    ffn.experts->shared_gate = metadata.layer_has(i, "ffn_gate_inp_shexp.weight");
  }
}

} // namespace mote::spec

// Which type a mix gives to a tensor. The rules are those of the files that carry the mix's name (general.file_type).
#include <algorithm>
#include <cstdint>
#include <optional>

#include "lib/weights/tensors.h"

namespace mote::weights {

namespace {

using enum TensorType;

/// What most matrices of the mix have.
TensorType default_type(Mix mix) {
  switch (mix) {
    case Mix::F32: return F32;
    case Mix::F16: return F16;
    case Mix::Q8_0: return Q8_0;
    case Mix::Q6_K: return Q6_K;
    case Mix::Q5_K_M: return Q5_K;
    case Mix::Q4_K_M:
    case Mix::Q4_K_S: return Q4_K;
    case Mix::Q3_K_M: return Q3_K;
    case Mix::Q4_0: return Q4_0;
  }
  return F32;
}

bool is_down(Role role) { return role == Role::ffn_down || role == Role::ffn_down_exps || role == Role::ffn_down_shexp; }

bool is_quantized(Mix mix) { return mix != Mix::F32 && mix != Mix::F16; }

/// The place of a tensor among those of its role: first, second, ... of n.
struct Place {
  int index, n;
  /// The layers at both ends and every third between them get more bits.
  bool gets_more() const { return index < n / 8 || index >= 7 * n / 8 || (index - n / 8) % 3 == 2; }
};

TensorType attn_v_type(Mix mix, Place place) {
  if (mix == Mix::Q3_K_M) return place.index < 2 ? Q5_K : Q4_K;
  if (mix == Mix::Q4_K_S && place.index < 4) return Q5_K;
  if ((mix == Mix::Q4_K_M || mix == Mix::Q5_K_M) && place.gets_more()) return Q6_K;
  return default_type(mix);
}

TensorType ffn_down_type(Mix mix, Place place) {
  if (mix == Mix::Q3_K_M) return place.index < place.n / 16 ? Q5_K : Q4_K;
  if (mix == Mix::Q4_K_S && place.index < place.n / 8) return Q5_K;
  if ((mix == Mix::Q4_K_M || mix == Mix::Q5_K_M) && place.gets_more()) return Q6_K;
  return default_type(mix);
}

TensorType attn_qkv_type(Mix mix) {
  if (mix == Mix::Q3_K_M) return Q4_K;
  if (mix == Mix::Q4_K_M) return Q5_K;
  if (mix == Mix::Q5_K_M) return Q6_K;
  return default_type(mix);
}

TensorType output_type(Mix mix) { return is_quantized(mix) && mix != Mix::Q8_0 ? Q6_K : default_type(mix); }

/// Next to the weights of 8 experts those of the attention are few.
bool has_8_experts(const ModelSpec& spec) {
  return std::ranges::any_of(
      spec.layers, [](const LayerSpec& layer) { return layer.ffn && layer.ffn->experts && layer.ffn->experts->n_experts == 8; });
}

/// Those that a model with 8 experts has in another type than other models.
std::optional<TensorType> type_with_8_experts(Role role, Mix mix) {
  if (!is_quantized(mix)) return std::nullopt;
  if (role == Role::attn_k || role == Role::attn_v) return Q8_0;
  const bool raised = mix == Mix::Q3_K_M || mix == Mix::Q4_K_S || mix == Mix::Q4_K_M;
  return role == Role::attn_output && raised ? std::optional(Q5_K) : std::nullopt;
}

TensorType wanted_type(Role role, bool tied, Mix mix, Place place) {
  switch (role) {
    case Role::pos_embd:
    case Role::ffn_router:
    case Role::ffn_shexp_gate: return F32;
    case Role::token_embd: return tied ? output_type(mix) : default_type(mix);
    case Role::output: return output_type(mix);
    case Role::attn_v: return attn_v_type(mix, place);
    case Role::attn_qkv: return attn_qkv_type(mix);
    case Role::attn_output: return mix == Mix::Q3_K_M ? Q4_K : default_type(mix);
    case Role::ffn_down:
    case Role::ffn_down_exps:
    case Role::ffn_down_shexp: return ffn_down_type(mix, place);
    default: return default_type(mix);
  }
}

/// The next best type for rows that are no whole number of blocks.
TensorType smaller_blocks(TensorType type) {
  switch (type) {
    case Q3_K: return Q4_0;
    case Q4_K: return Q5_0;
    case Q5_K: return Q5_1;
    case Q6_K: return Q8_0;
    default: return F16;
  }
}

} // namespace

std::vector<TensorType> choose_types(std::span<const TensorDesc> tensors, const ModelSpec& spec, Mix mix) {
  // attn_v and ffn_down are counted apart, each over the layers that have one; with experts it is the number of the layer that
  // counts
  int n_v = 0, n_down = 0;
  for (const TensorDesc& tensor : tensors) {
    if (!tensor.is_matrix()) continue;
    n_v += tensor.role == Role::attn_v;
    n_down += tensor.role == Role::ffn_down;
  }
  const bool experts = std::ranges::any_of(tensors, [](const TensorDesc& tensor) { return tensor.role == Role::ffn_router; });
  const bool experts_8 = has_8_experts(spec);
  int v = 0, down = 0;
  std::vector<TensorType> types;
  types.reserve(tensors.size());
  for (const TensorDesc& tensor : tensors) {
    if (!tensor.is_matrix()) {
      types.push_back(F32);
      continue;
    }
    Place place{};
    if (tensor.role == Role::attn_v) place = {v++, n_v};
    if (tensor.role == Role::ffn_down) place = {down++, n_down};
    if (experts && is_down(tensor.role)) place = {tensor.layer, static_cast<int>(spec.layers.size())};
    TensorType type = wanted_type(tensor.role, spec.head.tied, mix, place);
    if (experts_8) type = type_with_8_experts(tensor.role, mix).value_or(type);
    while (tensor.n_cols % type_info(type).block_weights != 0) type = smaller_blocks(type);
    types.push_back(type);
  }
  return types;
}

} // namespace mote::weights

/// Which tensors a model of some spec has: names, shapes and roles, in the order of the computation. The one list that
/// binding a file, making random weights, choosing types and predicting memory all use.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mote/spec.h"
#include "mote/types.h"

namespace mote::weights {

/// Which weight of the model or of a layer. Those of the FFN come last: see is_ffn_role.
enum class Role : std::uint8_t {
  token_embd,
  pos_embd,
  rope_freqs,
  embd_norm,
  project_in,
  project_out,
  output_norm,
  output,
  attn_norm,
  attn_post_norm,
  block_norm,
  ffn_norm,
  ffn_post_norm,
  attn_q,
  attn_k,
  attn_v,
  attn_qkv,
  attn_q_norm,
  attn_k_norm,
  attn_output,
  attn_q_a,
  attn_q_a_norm,
  attn_q_b,
  attn_kv_a,
  attn_kv_a_norm,
  attn_k_b,
  attn_v_b,
  block_out,
  attn_q_adapter_in,
  attn_k_adapter_in,
  attn_v_adapter_in,
  attn_q_adapter_out,
  attn_k_adapter_out,
  attn_v_adapter_out,
  ffn_adapter_in,
  ffn_gate_adapter_out,
  ffn_up_adapter_out,
  ssm_in,
  ssm_conv1d,
  ssm_x,
  ssm_dt_norm,
  ssm_b_norm,
  ssm_c_norm,
  ssm_dt,
  ssm_a,
  ssm_d,
  ssm_norm,
  ssm_out,
  shortconv_in_proj,
  shortconv_conv,
  shortconv_out_proj,
  rglru_in,
  rglru_conv1d,
  rglru_input_gate,
  rglru_recurrence_gate,
  rglru_a,
  rglru_out,
  ffn_gate,
  ffn_up,
  ffn_down,
  ffn_router,
  ffn_gate_exps,
  ffn_up_exps,
  ffn_down_exps,
  ffn_gate_shexp,
  ffn_up_shexp,
  ffn_down_shexp,
  ffn_shexp_gate,
};
inline constexpr std::size_t kNumRoles = static_cast<std::size_t>(Role::ffn_shexp_gate) + 1;
/// Whether the weight goes where LayerSpec::ffn_from says; the others of a layer go where mixer_from says.
constexpr bool is_ffn_role(Role role) noexcept { return role >= Role::ffn_gate; }
/// Whether the weight, of a layer that has a block, goes where BlockSpec::from says.
constexpr bool is_block_role(Role role) noexcept {
  return (role >= Role::block_norm && role <= Role::attn_output) || is_ffn_role(role);
}

/// Whether the weight is that of all experts of a layer, of which a token uses some.
constexpr bool is_experts_role(Role role) noexcept { return role >= Role::ffn_gate_exps && role <= Role::ffn_down_exps; }

/// What a tensor is in the computation, which decides how it is kept in memory.
enum class Form : std::uint8_t {
  matrix, ///< multiplied: panels
  table,  ///< a matrix whose rows are added to activations: floats
  lanes,  ///< a matrix of one row a channel: floats, [ceil(n_rows/16), n_cols, 16], 16 channels side by side
  vector, ///< floats
  bias,   ///< floats that belong to the role's weight
};

struct TensorDesc {
  std::string name; ///< as GGUF files have it: "blk.3.attn_q.weight"
  Role role = Role::token_embd;
  Form form = Form::matrix;
  int layer = -1;            ///< -1: outside the layers
  std::int64_t n_rows = 1;   ///< 1 for most vectors; some stand in files as matrices
  std::int64_t n_cols = 0;   ///< length of a row
  std::vector<float> values; ///< of rope_freqs: the spec's factors; empty for all others
  /// Matrices of n_rows / n_parts rows that lie one behind the other: each begins a panel of its own.
  int n_parts = 1;
  bool has_3_dims = false; ///< in files the parts are a dimension of their own: experts, heads
  bool is_matrix() const noexcept { return form == Form::matrix || form == Form::table; }
  // In files:
  int n_dims() const noexcept { return has_3_dims ? 3 : n_rows == 1 && !is_matrix() ? 1 : 2; }
  std::array<std::int64_t, 4> dims() const noexcept {
    const std::int64_t n_matrices = has_3_dims ? n_parts : 1;
    return {n_cols, n_rows / n_matrices, n_matrices, 1};
  }
};

/// Factors of frequencies are tensors when they differ from each other: equal ones are a key of the file (linear scaling).
std::vector<TensorDesc> list_tensors(const ModelSpec& spec);

/// The type of each tensor in a file of this mix (the choices of general.file_type and their fallbacks for rows that are no whole
/// number of blocks). Learned positions and whatever is no matrix are F32 in every mix.
std::vector<TensorType> choose_types(std::span<const TensorDesc> tensors, const ModelSpec& spec, Mix mix);

/// Fills rows [first_row, last_row) of a random tensor with file blocks of the given type, row_bytes(type, n_cols) bytes each.
/// Values of a matrix have zero mean and a standard deviation of 1/sqrt(n_cols); others are F32: norm weights 0.9 to 1.1, biases
/// -0.05 to 0.05, rope_freqs its values, decays and time steps of state spaces so that states neither die nor grow. Every row has
/// its own random stream, from the seed, the tensor's name and the row, so any split of the rows gives the same bytes. Fast: made
/// from random codes and scales, not by quantizing.
void random_rows(const TensorDesc& tensor, TensorType type, std::uint64_t seed, std::int64_t first_row, std::int64_t last_row,
                 std::byte* out);

} // namespace mote::weights

/// Which tensors a model of some spec has: names, shapes and roles, in the order of the computation. The one list that
/// binding a file, making random weights, choosing types and predicting memory all use.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mote/spec.h"
#include "mote/types.h"

namespace mote::weights {

enum class Role : std::uint8_t {
  token_embd, pos_embd, rope_freqs,
  attn_norm, attn_q, attn_k, attn_v, attn_qkv, attn_q_norm, attn_k_norm, attn_output,
  ffn_norm, ffn_gate, ffn_up, ffn_down,
  output_norm, output,
};

struct TensorDesc {
  std::string name;          ///< as GGUF files have it: "blk.3.attn_q.weight"
  Role role = Role::token_embd;
  bool is_bias = false;      ///< the bias that belongs to the role's weight
  int layer = -1;            ///< -1: outside the layers
  std::int64_t n_rows = 1;   ///< 1 for vectors
  std::int64_t n_cols = 0;   ///< length of a row
  bool is_matrix() const noexcept { return !is_bias && n_rows > 1; }
};

std::vector<TensorDesc> list_tensors(const ModelSpec& spec);

/// The type of each tensor in a file of this mix: the choices and the fallbacks for rows that are no multiple of a block.
std::vector<TensorType> choose_types(std::span<const TensorDesc> tensors, const ModelSpec& spec, Mix mix);

/// Fills rows [first_row, last_row) of a random tensor: file blocks of the given type whose values have zero mean and a standard
/// deviation of 1/sqrt(n_cols) for matrices (norm weights are about 1, biases small, rope_freqs the spec's factors). Every row has its own
/// random stream, so any split of the rows gives the same bytes. Fast: made from random codes and scales, not by quantizing.
void random_rows(const TensorDesc& tensor, TensorType type, std::uint64_t seed, std::int64_t first_row, std::int64_t last_row, std::byte* out);

} // namespace mote::weights

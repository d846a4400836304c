/// The memory of one session: activations of a pass, and the KV cache.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/layout.h"
#include "lib/decoder/rope_table.h"
#include "lib/runtime/buffer.h"
#include "mote/spec.h"
#include "mote/types.h"

namespace mote::decoder {

/// Activations as inputs of matrix products: floats, and the same quantized.
struct Rows {
  int n_cols = 0;
  float* x = nullptr;               ///< [n_batch, n_cols]
  kernels::ActBlock* act = nullptr; ///< [n_batch, act_blocks(n_cols)]; not used when n_cols is no multiple of 32
  /// Of a single token every thread makes a copy of its own, in the row of its number: cheaper than to wait for each other.
  bool own_rows = false;
  int row(int token, int n_tokens, int thread) const noexcept { return own_rows && n_tokens == 1 ? thread : token; }
  std::size_t act_stride() const noexcept { return static_cast<std::size_t>(kernels::act_blocks(n_cols)); }
};

/// cos and sin of the positions of a pass, for one of the model's RopeSpecs.
struct Rotation {
  RopeTable table;
  float* cos = nullptr; ///< [n_batch, n_pairs]
  float* sin = nullptr; ///< [n_batch, n_pairs]
};

/// What recurrent mixers compute on the way; each as wide as the widest of them wants, narrower layers use a prefix.
struct RecurrentBuffers {
  float* in = nullptr;       ///< [n_batch, ...]: the first product of a mixer
  Rows convolved;            ///< of the channels of the convolution
  float* selected = nullptr; ///< [n_batch, dt_rank + 2 d_state]: dt' | B | C of Mamba
  Rows dt, bc;               ///< the same, apart
  float* steps = nullptr;    ///< [n_batch, d_inner]: dt of each channel of Mamba; what Mamba-2 normalizes; RG-LRU's output
  std::vector<Rows> blocks;  ///< of RG-LRU's gates, each of a block's width
  float* gates[2] = {};      ///< [n_batch, d_inner]: RG-LRU's
  Rows out;                  ///< of width d_inner
};

/// What blocks in front of mixers compute on the way.
struct BlockBuffers {
  Rows embedded;            ///< of width d_model: the stream as the first layer got it
  Rows joined;              ///< of width 2 d_model: the normed stream beside it
  float* reduced = nullptr; ///< [n_batch, widest rank of an adapter]
  Rows adapter;             ///< the same, as inputs
  float* adapted = nullptr; ///< as Buffers::qkv: what adapters add to it
  float* out = nullptr;     ///< [n_batch, d_model]: what the mixer's input has beside the stream
};

/// Which experts the tokens of a pass use. A slot is a token at one of its experts: those of an expert are neighbours (a group),
/// groups in the order of the experts' numbers, slots in that of the tokens.
struct Routing {
  float* scores = nullptr;         ///< [n_batch, n_experts]
  int* used = nullptr;             ///< [n_batch, n_used]: the experts of each token, ascending
  float* weights = nullptr;        ///< [n_batch, n_used]
  float* shared_weights = nullptr; ///< [n_batch]: of the shared expert; null: 1
  int* n_groups = nullptr;         ///< [1]
  int* group_experts = nullptr;    ///< [n_groups]
  int* group_begins = nullptr;     ///< [n_groups + 1]: their first slots
  int* slot_tokens = nullptr;      ///< [n_batch * n_used]
  float* slot_weights = nullptr;   ///< [n_batch * n_used]
  int* next_slots = nullptr;       ///< [n_experts], while tokens are grouped
};

/// What attention over latents computes on the way; the latents' queries are where others have q, their outputs in `attended`.
struct LatentBuffers {
  float* q_latent = nullptr; ///< [n_batch, q_rank]
  Rows q_normed;             ///< of width q_rank
  float* q = nullptr;        ///< [n_batch, n_heads * head_dim]
  float* kv = nullptr;       ///< [n_batch, kv_rank + rope dims]
  Rows values;               ///< of width n_heads * v_dim
};
/// How the decoder attends to latents: all heads share one kv head, whose k is the latent and the rotated part, and whose v is
/// the same. For other attention the spec itself.
AttentionSpec as_cached(const AttentionSpec& spec);

struct Buffers {
  float* residual = nullptr; ///< [n_batch, d_model]: the stream that the layers add to
  Rows normed;               ///< of width d_model
  float* qkv = nullptr;      ///< [n_batch, widest (n_heads + 2 n_kv_heads) * head_dim]
  Rows attended;             ///< of the widest n_heads * head_dim; narrower layers use a prefix
  Rows inner;                ///< of the widest d_ff of an FFN that all tokens use; x only if some matrix takes it
  Rows expert_inner;         ///< of the experts: [n_batch * n_used, widest d_ff]
  Rows gathered;             ///< of width d_model: the tokens of an expert, [n_threads, n_gathered]
  int n_gathered = 0;
  Routing routing;
  RecurrentBuffers recurrent;
  LatentBuffers latent;
  BlockBuffers block;
  float* projected = nullptr; ///< [n_batch, d_model]: what is about to be added to the stream
  float* logits = nullptr;    ///< [n_vocab]
  float* partials = nullptr;  ///< of attention, for a token with several chunks: [n_kv_heads, partials_stride]
  std::size_t partials_stride = 0;
  float* scratch = nullptr; ///< [n_threads, scratch_stride]
  std::size_t scratch_stride = 0;
  std::vector<Rotation> rotations;

  Rotation* find_rotation(const RopeSpec& rope);
  std::vector<RopeSpec> rope_specs; ///< of rotations, in the same order
};

struct BufferSizes {
  int n_batch, n_threads, n_ctx;
  bool inner_floats = false; ///< whether a matrix takes Buffers::inner as floats
};
/// Floats of scratch for each half of a gated FFN's tile.
inline constexpr int kFfnTileFloats = 16 << 10;
/// Call once with a measuring arena and once with a real one.
Buffers take_buffers(const ModelSpec& spec, const BufferSizes& sizes, runtime::Arena& arena);

/// K and V of a layer with attention, F16 or F32, and the state of a recurrent one; a layer with a block has both.
struct LayerCache {
  TensorType type = TensorType::F16;
  /// Of latents: made of v when it is needed, in one place for all layers.
  std::byte* k = nullptr;                           ///< [n_kv_heads, ceil(n_ctx/16), head_dim, 16]: 16 positions side by side
  std::byte* v = nullptr;                           ///< [n_kv_heads, n_ctx, v_stride]
  std::size_t k_head_stride = 0, v_head_stride = 0; ///< elements from one kv head to the next
  std::size_t element_bytes() const noexcept { return type == TensorType::F16 ? 2 : 4; }
  int v_stride = 0;       ///< head_dim rounded up to 16
  float* past = nullptr;  ///< [ceil(channels/16), d_conv - 1, 16]: the last inputs of a convolution, oldest first
  float* state = nullptr; ///< Mamba: [ceil(d_inner/16), d_state, 16]; Mamba-2: [n_heads, ceil(head_dim/16), d_state, 16];
                          ///< RG-LRU: [n_blocks, ceil(width/16), 16]
};

/// Takes keys and values from one arena, states from the other. Call once with measuring arenas and once with real ones.
std::vector<LayerCache> take_cache(const ModelSpec& spec, int n_ctx, TensorType type, runtime::Arena& kv, runtime::Arena& states);

} // namespace mote::decoder

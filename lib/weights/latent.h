/// The matrix of older files that makes k and v of a latent, as the two that newer files have and the decoder wants.
#pragma once
#include "lib/gguf/file.h"
#include "mote/spec.h"

namespace mote::weights {

/// Replaces attn_kv_b, [n_heads, nope + v_dim, kv_rank], in layers without attn_k_b by
/// attn_k_b [n_heads, kv_rank, nope], the first rows of each head transposed, in F32, BF16 or, of any other type, F16;
/// attn_v_b [n_heads, v_dim, kv_rank], its other rows as they are.
/// Tensors of other shapes stay, to be refused by check_tensors.
void split_kv_b(gguf::File& file, const ModelSpec& spec);

} // namespace mote::weights

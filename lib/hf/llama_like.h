/// The tensors of Llama and of all that name them alike.
#pragma once
#include "lib/hf/translation.h"

namespace mote::hf {

/// How GGUF files of the family have the rows of q and k: as they are, or so that rotated pairs lie side by side.
enum class HeadRows : std::uint8_t { halves, pairs };

/// All but the FFNs' matrices: embedding, attention, norms (biases and norms of q and k where they are stored), head; after
/// sizes().
void llama_like_attention(Translation& t, HeadRows rows, bool tied_unless_said = false);
/// The same with gated FFNs.
void llama_like_tensors(Translation& t, HeadRows rows, bool tied_unless_said = false);

} // namespace mote::hf

/// Tensors of mixers that keep a state, which several families have.
#pragma once
#include <initializer_list>
#include <string_view>

#include "lib/hf/translation.h"

namespace mote::hf {

/// -e^x: GGUF files have the decay itself, Hugging Face its logarithm.
float negative_exp(float log);

/// Mamba: ssm.* and the tensors of each layer that has them. mixer: what stands before their names, "{p}layers.{i}.mixer.".
void mamba_mixers(Translation& t, std::string_view mixer);

/// The words of a config for the sizes of Mamba-2.
struct Mamba2Names {
  std::string_view n_heads = "num_heads", head_dim = "head_dim", d_state = "state_size", n_groups = "n_groups",
                   d_conv = "conv_kernel";
};
/// The same for Mamba-2. mixers: what may stand before the names; layers may differ.
void mamba2_mixers(Translation& t, std::initializer_list<std::string_view> mixers, const Mamba2Names& names);

} // namespace mote::hf

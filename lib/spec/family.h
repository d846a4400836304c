/// What a family of models is: a name in general.architecture, how its metadata becomes a spec, and what its shapes have in
/// common.
#pragma once
#include <span>
#include <string_view>

#include "lib/spec/metadata.h"
#include "mote/spec.h"

namespace mote::spec {

struct Family {
  std::string_view name;
  /// What the models of the family share: one layer, no sizes; rope->dims = 0 stands for all of head_dim,
  /// embedding.n_positions > 0 for as many as n_ctx.
  ModelSpec (*defaults)();
  /// The spec of a file. Errors stay in the metadata; the spec is of no use then.
  ModelSpec (*read)(Metadata& metadata);
};

// Each in its own file in families/; families.cpp lists them.
extern const Family kGpt2, kGptNeox, kLlama, kPhi2, kQwen2, kQwen3, kStableLm;

/// Sorted by name.
std::span<const Family* const> families() noexcept;
/// Null when there is none of this name.
const Family* find_family(std::string_view name) noexcept;

} // namespace mote::spec

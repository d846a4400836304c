/// What std::visit does for mixers, without its exception: the library throws nothing.
#pragma once
#include <variant>

#include "mote/spec.h"

namespace mote::spec {

/// fn(the alternative that mixer, a MixerSpec, holds). fn returns the same type for all.
template <std::size_t kFirst = 0, class Mixer, class Fn> auto visit_mixer(Mixer& mixer, const Fn& fn) {
  auto* const kind = std::get_if<kFirst>(&mixer);
  if constexpr (kFirst + 1 < std::variant_size_v<MixerSpec>) {
    if (!kind) return visit_mixer<kFirst + 1>(mixer, fn);
  }
  return fn(*kind); // no mixer is without a value: making one cannot fail half-way
}

} // namespace mote::spec

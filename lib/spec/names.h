/// The words that printed specs and shapes use for the values of the enumerations.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "mote/spec.h"

namespace mote::spec {

// In the order of the enumerators.
inline constexpr std::string_view kActivationNames[] = {"silu", "gelu_tanh", "gelu_erf", "relu", "relu_squared"};
inline constexpr std::string_view kNormKindNames[] = {"rms", "layer"};
inline constexpr std::string_view kRopeStyleNames[] = {"interleaved", "halves"};
inline constexpr std::string_view kQkvStorageNames[] = {"separate", "fused"};
inline constexpr std::string_view kQkNormScopeNames[] = {"head", "each_head", "projection"};
inline constexpr std::string_view kGateStorageNames[] = {"separate", "fused"};
inline constexpr std::string_view kNormPlacementNames[] = {"pre", "post", "sandwich", "output"};
inline constexpr std::string_view kFfnKindNames[] = {"gated", "standard"};
inline constexpr std::string_view kMixerNames[] = {"attention", "mamba", "mamba2", "short_conv",
                                                   "rg_lru"}; // the order of MixerSpec
inline constexpr std::string_view kRouterNames[] = {"softmax", "softmax_of_used", "sparse_mixer"};
inline constexpr std::string_view kResidualNames[] = {"sequential", "parallel", "parallel_shared"};

constexpr std::span<const std::string_view> names_of(Activation) { return kActivationNames; }
constexpr std::span<const std::string_view> names_of(NormKind) { return kNormKindNames; }
constexpr std::span<const std::string_view> names_of(RopeStyle) { return kRopeStyleNames; }
constexpr std::span<const std::string_view> names_of(QkvStorage) { return kQkvStorageNames; }
constexpr std::span<const std::string_view> names_of(QkNormScope) { return kQkNormScopeNames; }
constexpr std::span<const std::string_view> names_of(GateStorage) { return kGateStorageNames; }
constexpr std::span<const std::string_view> names_of(NormPlacement) { return kNormPlacementNames; }
constexpr std::span<const std::string_view> names_of(FfnKind) { return kFfnKindNames; }
constexpr std::span<const std::string_view> names_of(Router) { return kRouterNames; }
constexpr std::span<const std::string_view> names_of(Residual) { return kResidualNames; }

template <class E> constexpr bool is_known(E value) { return static_cast<std::size_t>(value) < names_of(E{}).size(); }
template <class E> constexpr std::string_view name_of(E value) {
  return is_known(value) ? names_of(E{})[static_cast<std::size_t>(value)] : "?";
}

/// "a, b, c"
std::string join(std::span<const std::string_view> words);
/// The shortest text that reads back as the same number.
std::string number(float value);
std::string number(double value);

} // namespace mote::spec

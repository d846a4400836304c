/// The published shapes that are known by name.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mote::spec {

struct PresetRow {
  std::string_view name;
  std::int64_t n_parameters; ///< as published or computed elsewhere; the tests compare it with parameter_count()
  std::string_view shape;    ///< family= first, no base=; empty: not published
  std::string_view group = "current"; ///< as Preset::group
};

std::span<const PresetRow> preset_rows() noexcept;
/// Null when there is none of this name.
const PresetRow* find_preset(std::string_view name) noexcept;
/// "unknown preset "x"; nearest: a, b, c"
std::string unknown_preset_text(std::string_view name);

} // namespace mote::spec

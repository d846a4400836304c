#include "lib/spec/presets.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "lib/gguf/format.h"
#include "lib/spec/names.h"
#include "mote/spec.h"

namespace mote {

namespace spec {

namespace {

/// Of "Demystifying Small Language Models for Edge Deployment" (ACL 2025).
constexpr std::string_view kTable1 = "table 1", kTable9 = "table 9";
constexpr std::string_view kSurveys = "surveys";

constexpr PresetRow kPresets[] = {
#include "lib/spec/presets.inc"
};

/// Insertions, deletions and replacements of a character that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1); // distances of a's first i characters to each beginning of b
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

} // namespace

std::span<const PresetRow> preset_rows() noexcept { return kPresets; }

const PresetRow* find_preset(std::string_view name) noexcept {
  const auto at = std::find_if(std::begin(kPresets), std::end(kPresets), [&](const PresetRow& row) { return row.name == name; });
  return at == std::end(kPresets) ? nullptr : at;
}

std::string unknown_preset_text(std::string_view name) {
  constexpr std::size_t kShown = 3, kMaxCompared = 100;
  const std::string_view compared = name.substr(0, kMaxCompared);
  std::vector<std::pair<std::size_t, std::string_view>> near;
  for (const PresetRow& row : kPresets) near.emplace_back(edit_distance(compared, row.name), row.name);
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kShown; ++i) names.push_back(near[i].second);
  return "unknown preset " + gguf::quote(name) + "; nearest: " + join(names);
}

} // namespace spec

std::vector<Preset> all_presets() {
  std::vector<Preset> presets;
  for (const spec::PresetRow& row : spec::kPresets) presets.push_back({std::string(row.name), std::string(row.group), std::string(row.shape)});
  return presets;
}

Result<ModelSpec> spec_from_preset(std::string_view name) {
  const spec::PresetRow* row = spec::find_preset(name);
  if (!row) return Error{ErrorCode::invalid_argument, spec::unknown_preset_text(name)};
  if (row->shape.empty())
    return Error{ErrorCode::invalid_argument, "preset " + gguf::quote(name) + ": the shape of this model is not published"};
  auto model = spec_from_shape(row->shape);
  if (model) model->name = row->name;
  return model;
}

} // namespace mote

#include "lib/spec/family.h"

namespace mote {

namespace spec {

namespace {

constexpr const Family* kFamilies[] = {
    &kBloom,      &kDeepSeek2, &kGemma,    &kGemma2,  &kGemma3,         &kGpt2,    &kGptNeox,  &kGranite,  &kGraniteHybrid,
    &kGraniteMoe, &kJamba,     &kLfm2,     &kLlama,   &kMamba,          &kMamba2,  &kMiniCpm,  &kMiniCpm3, &kNemotron,
    &kOlmo,       &kOlmo2,     &kOlmoe,    &kOpenElm, &kOpenLm,         &kOpt,     &kPhi2,     &kPhi3,     &kPhiMoe,
    &kQwen,       &kQwen2,     &kQwen2Moe, &kQwen3,   &kRecurrentGemma, &kSmolLm3, &kStableLm, &kZamba2};

} // namespace

std::span<const Family* const> families() noexcept { return kFamilies; }

const Family* find_family(std::string_view name) noexcept {
  for (const Family* family : kFamilies)
    if (family->name == name) return family;
  return nullptr;
}

} // namespace spec

std::vector<std::string_view> family_names() {
  std::vector<std::string_view> names;
  for (const spec::Family* family : spec::families()) names.push_back(family->name);
  return names;
}

} // namespace mote

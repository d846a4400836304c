#include "lib/hf/family.h"

namespace mote::hf {

namespace {

constexpr const Family* kFamilies[] = {
    &kBloom,         &kDeepSeekV2, &kGemma,    &kGemma2, &kGemma3, &kGpt2,     &kGptNeox, &kGranite,        &kGraniteMoe,
    &kGraniteHybrid, &kJamba,      &kLfm2,     &kLlama,  &kMamba,  &kMamba2,   &kMiniCpm, &kMiniCpm3,       &kMistral,
    &kMixtral,       &kMobileLlm,  &kNemotron, &kOlmo,   &kOlmo2,  &kOlmoe,    &kOpenElm, &kOpenLm,         &kOpt,
    &kPhi,           &kPhi3,       &kPhiMoe,   &kQwen,   &kQwen2,  &kQwen2Moe, &kQwen3,   &kRecurrentGemma, &kSmolLm3,
    &kStableLm,      &kZamba2};

} // namespace

std::span<const Family* const> families() noexcept { return kFamilies; }

} // namespace mote::hf

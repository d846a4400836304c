/// Families of Hugging Face models: a model_type in config.json, and how its directory is translated.
#pragma once
#include <span>
#include <string_view>

#include "lib/hf/translation.h"

namespace mote::hf {

struct Family {
  std::string_view model_type;
  /// Errors stay in the translation's config.
  void (*translate)(Translation& t);
};

// Each in a file of families/; families.cpp lists them.
extern const Family kBloom, kDeepSeekV2, kGemma, kGemma2, kGemma3, kGpt2, kGptNeox, kGranite, kGraniteMoe, kGraniteHybrid, kJamba,
    kLfm2, kLlama, kMamba, kMamba2, kMiniCpm, kMiniCpm3, kMistral, kMixtral, kMobileLlm, kNemotron, kOlmo, kOlmo2, kOlmoe,
    kOpenElm, kOpenLm, kOpt, kPhi, kPhi3, kPhiMoe, kQwen, kQwen2, kQwen2Moe, kQwen3, kRecurrentGemma, kSmolLm3, kStableLm,
    kZamba2;

/// Sorted by model_type.
std::span<const Family* const> families() noexcept;

} // namespace mote::hf

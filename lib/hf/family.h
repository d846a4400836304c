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
extern const Family kGemma;
extern const Family kGemma2;
extern const Family kGemma3;
extern const Family kGpt2;
extern const Family kGptNeox;
extern const Family kGranite;
extern const Family kGraniteHybrid;
extern const Family kJamba;
extern const Family kLfm2;
extern const Family kLlama;
extern const Family kMamba;
extern const Family kMamba2;
extern const Family kMiniCpm;
extern const Family kMistral;
extern const Family kMixtral;
extern const Family kOlmo2;
extern const Family kPhi;
extern const Family kPhi3;
extern const Family kQwen2;
extern const Family kQwen2Moe;
extern const Family kQwen3;
extern const Family kRecurrentGemma;
extern const Family kSmolLm3;
extern const Family kStableLm;

/// Sorted by model_type.
std::span<const Family* const> families() noexcept;

} // namespace mote::hf

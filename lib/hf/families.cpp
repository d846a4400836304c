#include "lib/hf/family.h"

namespace mote::hf {

namespace {

constexpr const Family* kFamilies[] = {&kGpt2,    &kGptNeox, &kLfm2,  &kLlama,    &kMamba, &kMamba2,  &kMistral,
                                       &kMixtral, &kPhi,     &kQwen2, &kQwen2Moe, &kQwen3, &kStableLm};

} // namespace

std::span<const Family* const> families() noexcept { return kFamilies; }

} // namespace mote::hf

/// Frequency divisors of the kinds of rope scaling that shapes can name.
#pragma once
#include <string_view>

#include "mote/spec.h"

namespace mote::spec {

inline constexpr std::string_view kRopeScalingGrammar =
    "none, linear:FACTOR or llama3:FACTOR:LOW_FREQ_FACTOR:HIGH_FREQ_FACTOR:ORIGINAL_CTX";

/// Sets the factors from "none", "linear:4" or "llama3:32:1:4:8192", given the base and the dims. False when the text is
/// neither. llama3: frequencies whose wavelength is below ORIGINAL_CTX/HIGH stay, those above ORIGINAL_CTX/LOW are divided by
/// FACTOR, those between are blended (the Llama 3.1 release).
bool parse_rope_scaling(std::string_view text, RopeSpec& rope);

} // namespace mote::spec

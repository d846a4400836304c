/// Divisors of the frequencies of rotary embeddings, as published configs describe them.
#pragma once
#include <vector>

namespace mote::hf {

/// Of "rope_type": "llama3" (the Llama 3.1 release).
struct Llama3Scaling {
  double factor = 8, low_freq_factor = 1, high_freq_factor = 4;
  double original_ctx = 8192; ///< positions
};

/// [dims/2] divisors of base^(-2i/dims): frequencies whose wavelength is below original_ctx/high stay, those above
/// original_ctx/low are divided by factor, those between are blended. base >= 1, dims even, all numbers positive.
std::vector<float> llama3_factors(int dims, double base, const Llama3Scaling& scaling);
/// [dims/2] divisors that make of base^(-2i/dims) what alpha^(dims/(dims-2)) times the base would give. alpha >= 1, dims even, at
/// least 4.
std::vector<float> ntk_factors(int dims, double alpha);

} // namespace mote::hf

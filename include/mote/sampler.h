/// Logits to the next token.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "mote/result.h"

namespace mote {

struct SamplerOptions {
  float temperature = 0;  ///< divides the logits; 0: greedy, the largest logit, lowest id on ties
  int top_k = 0;          ///< keep the k most likely; 0: all
  float top_p = 1;        ///< keep the fewest most likely whose probabilities add up to this; 1: all
  std::uint64_t seed = 0; ///< same seed, same logits, same tokens
};

/// Belongs to one thread at a time. Applies temperature, then top-k, then top-p. The same tokens on every machine: its random
/// numbers and its softmax are its own.
class Sampler {
 public:
  /// Error: invalid_argument (temperature negative or not finite, top_k < 0, top_p outside (0, 1]).
  static Result<Sampler> create(const SamplerOptions& options = {});
  /// logits: [n_vocab]. NaN and minus infinity are never chosen; -1 when nothing can be, or when there is no memory. Of equal
  /// logits the lower id counts as the more likely. Allocates in the first call only, or when n_vocab grows; greedily never.
  std::int32_t sample(std::span<const float> logits);

 private:
  struct Candidate {
    double weight; // proportional to its probability; the largest is 1
    float logit;
    std::int32_t token;
  };

  explicit Sampler(const SamplerOptions& options) noexcept : options_(options), state_(options.seed) {}
  std::int32_t draw(std::span<const float> logits);
  double uniform() noexcept;

  SamplerOptions options_;
  std::uint64_t state_;
  std::vector<Candidate> candidates_;
};

} // namespace mote

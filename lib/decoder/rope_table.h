/// Cosines and sines of rotary position embeddings, by own arithmetic: the same bits on every platform.
#pragma once
#include <vector>

#include "mote/spec.h"

namespace mote::decoder {

/// Frequencies of one RopeSpec. Rounded to float where the models' reference implementations round (base^(2i/dims), its
/// inverse, and the angle), so that long contexts turn by the angles that the models were trained with.
class RopeTable {
 public:
  /// n_ctx: positions of the session.
  RopeTable(const RopeSpec& spec, int n_ctx);
  int n_pairs() const noexcept { return static_cast<int>(frequencies_.size()); }
  /// cos, sin: [n_pairs], times the spec's magnitude.
  void fill(int position, float* cos, float* sin) const noexcept;

 private:
  std::vector<float> frequencies_;
  float magnitude_;
};

} // namespace mote::decoder

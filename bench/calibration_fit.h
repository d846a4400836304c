/// From the times of steps to the costs that predict them.
#pragma once
#include "bench/calibration_samples.h"
#include "mote/predict.h"

namespace bench {

/// How much of the weights comes from memory, by how much a token reads; from single tokens of models of one type and different
/// sizes, the first of which fits the caches, the last of which does not at all.
std::vector<mote::MissShare> fit_misses(const std::vector<StepSample>& steps);

/// Everything else; calibration.misses is there already.
void fit_costs(const Samples& samples, mote::Calibration& calibration);

} // namespace bench

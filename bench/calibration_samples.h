/// Times of single steps, measured with the real runtime.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "mote/mote.h"

namespace bench {

/// A model of random weights that is run for the times of its steps.
struct SampleModel {
  std::string shape;
  mote::Mix mix = mote::Mix::Q4_K_M;
  std::vector<int> prompts;   ///< numbers of tokens of passes from position 0 on; 1: a single token behind some others
  std::vector<int> positions; ///< where single tokens are decoded besides
  int n_runs = 5;             ///< of each pass
};

/// A step of a pass: the medians of some runs.
struct StepSample {
  mote::StepWork work;
  int n_tokens = 0, first_pos = 0;
  double ns = 0;           ///< the average thread's work and waiting
  double wait_ns = 0;      ///< of that
  double weight_bytes = 0; ///< that a pass of the model reads
  double slowness = 1;     ///< of memory, beside the speed that the calibration is of
};

struct PassSample {
  int n_tokens = 0;
  double wall_ns = 0, steps_ns = 0;
  double sample_ns = 0; ///< of choosing a token
  int n_vocab = 0;
};

struct Samples {
  std::vector<StepSample> steps;
  std::vector<PassSample> passes;
};

/// Errors: of the library.
mote::Status take_samples(const SampleModel& model, mote::Isa isa, int n_threads, Samples& samples);

/// Of all products that a token uses.
double weight_bytes(const std::vector<mote::StepWork>& steps);

} // namespace bench

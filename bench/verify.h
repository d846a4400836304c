/// Predictions beside measurements.
#pragma once
#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/output.h"
#include "bench/progress.h"

namespace bench {

/// A model's predicted and measured times.
struct Verified {
  std::string model;
  double read_bandwidth = 0; ///< bytes per second, while it was measured
  double predicted_first_ns = 0, measured_first_ns = 0;
  double predicted_token_ns = 0, measured_token_ns = 0; ///< of a token in the middle of those generated
  double first_error() const { return predicted_first_ns / measured_first_ns - 1; }
  double token_error() const { return predicted_token_ns / measured_token_ns - 1; }
};

/// Measures a model with the first of each list of options, and predicts it with the calibration of the state that the machine is
/// in at that moment. Errors: of measuring, of obtain_calibration(), and of the library.
mote::Result<Verified> verify_model(const Options& options, const Source& source, Progress& progress);

/// Of all sources, which are no files: a row for each, the errors and the correlation of ranks.
mote::Status run_verify(const Options& options, Progress& progress, Output& output);

} // namespace bench

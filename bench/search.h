/// Which shape to train so that it is fast here.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/output.h"
#include "bench/progress.h"

namespace bench {

/// A shape and what it would cost.
struct Candidate {
  std::string shape; ///< as spec_from_shape takes it
  std::int64_t n_parameters = 0;
  int n_layers = 0;
  double decode_ns = 0; ///< of a token in the middle of those generated
  double prefill_ns = 0;
  double memory_bytes = 0;
};

/// Llama-like shapes of about the asked number of parameters: from shallow and wide to deep and narrow, FFN ratios, heads, kv
/// heads, the vocabularies, tied or not.
std::vector<std::string> shapes_of(const SearchOptions& search);

/// Those within the budget, by decode_ns, that no other one beats or equals in decode_ns, memory_bytes and n_layers together:
/// faster, smaller or deeper than every faster one.
std::vector<Candidate> pareto_front(std::vector<Candidate> candidates, const Budget& budget);

/// Errors: those of obtain_calibration(), of the library, io.
mote::Status run_search(const Options& options, Progress& progress, Output& output);

} // namespace bench

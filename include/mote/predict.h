/// How long a model would take on a machine that was measured once, from its spec alone: no weights are made.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "mote/isa.h"
#include "mote/profile.h"
#include "mote/result.h"
#include "mote/spec.h"
#include "mote/types.h"
#include "mote/work.h"

namespace mote {

/// What products with the weights of one type cost in a pass of some number of tokens, all of them together, all threads sharing.
struct ProductCost {
  TensorType type = TensorType::F32;
  double row_ns = 0;    ///< for each row of the matrix
  double weight_ns = 0; ///< for each weight
};

/// What steps cost in a pass of n_tokens.
struct PassCost {
  int n_tokens = 1;
  double step_ns = 0; ///< of each step that threads share: its start and its barrier
  /// In addition, where weights come from memory instead of the caches: for each step, and for each byte.
  double memory_step_ns = 0, memory_byte_ns = 0;
  /// The part of a shared step's time in which the average thread waits: wait_ns + wait_share * time of the step.
  double wait_ns = 0, wait_share = 0;
  /// For each row of a product in a layer: what becomes of it there, rotation, sum with the stream, quantization.
  double row_ns = 0;
  std::array<double, 5> activation_ns = {}; ///< by Activation, for each float
  double norm_ns = 0;                       ///< for each float of StepWork::width of a norm
  double embed_ns = 0;                      ///< for each float of the width of the embedding
  double recurrence_ns = 0;                 ///< for each operation of a recurrence (of one token), its products apart
  std::vector<ProductCost> products;
};

/// What attention over the cache costs: for each head of each token, and for each position that it attends to.
struct AttentionCost {
  double step_ns = 0;
  double head_ns = 0, head_float_ns = 0;         ///< for each head, and for each of its floats, 16 at a time
  double position_ns = 0, position_float_ns = 0; ///< for each position of a head, and for each of its floats
  double key_float_ns = 0;                       ///< for each position of a kv head and float, which its heads share
  double memory_head_ns = 0, memory_byte_ns = 0; ///< in addition, for each kv head and byte of a cache that lies in memory
};

/// With so many bytes read between two uses of the same weights, this share of them has left the caches.
struct MissShare {
  double bytes = 0, share = 0;
};

/// A machine as one ISA and number of threads find it: what bench_breakdown calibrates. All times are wall times.
struct Calibration {
  Isa isa = Isa::scalar;
  int n_threads = 1;
  double read_bandwidth = 0;    ///< bytes per second that the threads could read from memory when it was made
  std::vector<PassCost> passes; ///< ascending n_tokens, from 1 on; between them costs are interpolated
  AttentionCost one_token, several_tokens;
  double latent_key_ns = 0;      ///< for each position and float of the keys that latent attention arranges
  std::vector<MissShare> misses; ///< ascending bytes; shares between 0 and 1
  double call_ns = 0;            ///< of a call of decode, apart from its steps
  double logit_ns = 0;           ///< of choosing the next token, for each token of the vocabulary
};

struct PredictOptions {
  int n_prompt = 50;               ///< tokens of the prompt: 1..n_ctx of the spec
  std::vector<int> positions = {}; ///< below n_ctx, at which single tokens are decoded: that many stand before them
  int n_batch = 256;               ///< as SessionOptions::n_batch
  double read_bandwidth = 0;       ///< bytes per second, of memory today; 0: that of the calibration
};

/// Times in nanoseconds; the components' add up to total_ns.
struct PredictedTime {
  double total_ns = 0;
  std::array<double, kNumComponents> component_ns = {}; ///< by Component; other: calls, and choosing the token
  double wait_ns = 0;                                   ///< of total_ns: the average thread's waiting at barriers
};

struct Prediction {
  PredictedTime first_token;         ///< the prompt, and choosing the first token
  std::vector<PredictedTime> tokens; ///< one for each of PredictOptions::positions
};

/// Predicts from the plan that would run: each step's work, priced by the calibration. A fraction of a millisecond.
/// Errors: those of work_of(), invalid_argument (options; a calibration without passes), unsupported (a type that the calibration
/// does not know).
Result<Prediction> predict(const ModelSpec& spec, Mix types, const Calibration& calibration, const PredictOptions& options = {});

} // namespace mote

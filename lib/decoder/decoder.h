/// Runs a plan over the tokens of one sequence.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/table.h"
#include "lib/decoder/buffers.h"
#include "lib/decoder/plan.h"
#include "lib/runtime/recorder.h"
#include "lib/runtime/thread_pool.h"
#include "lib/weights/weights.h"
#include "mote/result.h"
#include "mote/spec.h"

namespace mote::decoder {

struct DecoderOptions {
  int n_ctx = 0; ///< all three at least 1
  int n_batch = 0;
  int n_threads = 0;
  TensorType kv_type = TensorType::F16; ///< or F32
  bool profile = false;
  int trace_events = 0; ///< of each thread
};

/// Bytes of what a session holds beside the weights.
struct SessionBytes {
  std::size_t kv_cache = 0, state = 0, compute = 0;
};
/// inner_floats: as BufferSizes.
SessionBytes session_bytes(const ModelSpec& spec, const DecoderOptions& options, bool inner_floats);

/// Belongs to one thread at a time. spec, weights and kernels must outlive it.
class Decoder {
 public:
  /// Takes all memory. Error: out_of_memory.
  static Result<std::unique_ptr<Decoder>> create(const ModelSpec& spec, const weights::Weights& weights,
                                                 const kernels::KernelTable& kernels, const DecoderOptions& options);
  /// Appends tokens. all_logits: [tokens.size(), n_vocab], or empty: only the last token's, into logits().
  /// The caller has checked the tokens and that they fit the context. Allocates nothing, cannot fail.
  void decode(std::span<const std::int32_t> tokens, std::span<float> all_logits) noexcept;

  std::span<const float> logits() const noexcept { return {logits_, logits_ ? static_cast<std::size_t>(spec_.n_vocab) : 0}; }
  int position() const noexcept { return position_; }
  void truncate(int n_keep) noexcept { position_ = n_keep; }
  const DecoderOptions& options() const noexcept { return options_; }
  const SessionBytes& bytes() const noexcept { return bytes_; }
  runtime::Recorder* recorder() noexcept { return recorder_ ? &*recorder_ : nullptr; }
  const runtime::Recorder* recorder() const noexcept { return recorder_ ? &*recorder_ : nullptr; }
  /// Whether the recorder, if there is one, takes notice of the next calls.
  void set_recording(bool on) noexcept { recording_ = on ? recorder() : nullptr; }

 private:
  Decoder(const ModelSpec& spec, const kernels::KernelTable& kernels, const DecoderOptions& options)
      : spec_(spec), kernels_(kernels), options_(options) {}
  Status allocate(const weights::Weights& weights);
  void run_pass(const Pass& pass) noexcept;
  std::size_t steps_of_pass() const noexcept { return pass_.n_outputs > 0 ? plan_.steps.size() : plan_.n_body; }
  static void run_steps(void* decoder, int thread) noexcept;

  const ModelSpec& spec_;
  const kernels::KernelTable& kernels_;
  DecoderOptions options_;
  std::unique_ptr<runtime::ThreadPool> pool_;
  SessionBytes bytes_;
  runtime::Buffer buffer_memory_, cache_memory_, state_memory_;
  Buffers buffers_;
  std::vector<LayerCache> cache_;
  Plan plan_;
  std::array<std::vector<ShareCounter>, 2> counters_; ///< [n_threads] for steps of even and of odd number
  std::optional<runtime::Recorder> recorder_;
  runtime::Recorder* recording_ = nullptr; ///< the recorder while it is on
  Pass pass_;
  int n_running_ = 0; ///< threads that compute it
  int position_ = 0;
  const float* logits_ = nullptr;
};

} // namespace mote::decoder

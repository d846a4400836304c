/// A session: one sequence of tokens being computed by a model, with its KV cache, buffers and threads.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mote/model.h"
#include "mote/profile.h"
#include "mote/result.h"
#include "mote/types.h"

namespace mote {

struct SessionOptions {
  int n_ctx = 0;     ///< positions of the KV cache; 0: the model's n_ctx, which is also the limit
  int n_batch = 256; ///< tokens computed in one pass at most; longer inputs are cut. Does not change the logits.
  /// 0: default_thread_count(). Does not change the logits. No more run at a time than the caller of decode may use processors.
  int n_threads = 0;
  TensorType kv_type = TensorType::F16; ///< of the KV cache: F16, or F32 for twice the memory and no rounding
  bool profile = false;
  /// With profile: how many events trace() keeps of each thread, the first ones; 0: none. 32 bytes each.
  int trace_events = 0;
};

/// Movable. Belongs to one thread at a time; it runs its own helper threads inside decode.
class Session {
 public:
  /// All memory is taken here. Errors: invalid_argument (n_ctx beyond the model's, counts below 1, kv_type), out_of_memory.
  static Result<Session> create(const Model& model, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Appends tokens to the sequence and computes the logits of the last one. Allocates nothing unless it fails.
  /// Errors: context_full (nothing is appended), invalid_argument (a token outside the vocabulary, no tokens).
  Status decode(std::span<const std::int32_t> tokens);
  /// The same with the logits of every token: all_logits is [tokens.size(), n_vocab], row-major, the caller's.
  Status decode(std::span<const std::int32_t> tokens, std::span<float> all_logits);
  /// [n_vocab], of the last token decoded; valid until the next decode. Empty before the first.
  std::span<const float> logits() const noexcept;

  /// Tokens in the sequence so far.
  int position() const noexcept;
  int n_ctx() const noexcept;
  int n_threads() const noexcept;
  /// Forgets all tokens from position n_keep on (0 <= n_keep <= position()); the next decode continues there.
  /// Error: unsupported when the model is recurrent (is_recurrent) and n_keep is neither 0 nor position(): its state is of all
  /// tokens so far.
  Status truncate(int n_keep);

  /// What was measured since the start or the last reset_profile(); empty without SessionOptions::profile.
  Profile profile() const;
  /// What threads did since then, each thread's events in their order; empty without SessionOptions::trace_events.
  std::vector<TraceEvent> trace() const;
  void reset_profile() noexcept;
  /// Whether the next calls are measured: at first they are. Does nothing without SessionOptions::profile.
  void set_profiling(bool on) noexcept;
  /// Parameters and tokenizer are the model's, shared with its other sessions.
  MemoryUse memory() const noexcept;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

} // namespace mote

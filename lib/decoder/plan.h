/// The compiled form of a model: a flat list of steps that all threads run together, a barrier behind each.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/table.h"
#include "lib/runtime/recorder.h"

namespace mote::decoder {

/// What is computed at once: consecutive tokens of the sequence, n_batch at most.
struct Pass {
  const kernels::KernelTable* kernels = nullptr;
  std::span<const std::int32_t> tokens;
  int first_pos = 0;       ///< position of tokens[0]
  int n_outputs = 0;       ///< the last n_outputs tokens get logits
  float* logits = nullptr; ///< [n_outputs, n_vocab]
  int n_tokens() const noexcept { return static_cast<int>(tokens.size()); }
};

/// Which tokens of a pass a step computes: all, or those that get logits.
enum class Scope : std::uint8_t { tokens, outputs };
inline int count_of(Scope scope, const Pass& pass) noexcept { return scope == Scope::tokens ? pass.n_tokens() : pass.n_outputs; }

/// The share of a step that a thread takes: ranges of items from a counter that the threads have in common.
class Items {
 public:
  Items(std::atomic<int>& next, int thread, int n_threads) : next_(next), thread_(thread), n_threads_(n_threads) {}
  int thread() const noexcept { return thread_; }
  int n_threads() const noexcept { return n_threads_; }
  /// The next range [first, last) of at most chunk items; false when none is left.
  bool take(int n_items, int chunk, int& first, int& last) noexcept {
    first = next_.fetch_add(chunk, std::memory_order_relaxed);
    last = first + chunk < n_items ? first + chunk : n_items;
    return first < n_items;
  }
  /// A chunk that gives every thread several ranges, so that a late thread does not hold up the others.
  int chunk_of(int n_items) const noexcept {
    const int n_ranges = n_threads_ == 1 ? 1 : 4 * n_threads_;
    return (n_items + n_ranges - 1) / n_ranges;
  }

 private:
  std::atomic<int>& next_;
  int thread_, n_threads_;
};

class Step {
 public:
  explicit Step(const runtime::StepTag& step_tag) : tag(step_tag) {}
  virtual ~Step() = default;
  /// Called by every thread of the pool. Reads what earlier steps wrote; the threads write disjoint parts.
  virtual void run(const Pass& pass, Items items) const noexcept = 0;
  const runtime::StepTag tag;
};

struct Plan {
  std::vector<std::unique_ptr<Step>> steps;
  std::size_t n_body = 0; ///< the steps before the head, which runs only in passes that have outputs
};

} // namespace mote::decoder

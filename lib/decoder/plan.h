/// The compiled form of a model: a flat list of steps that all threads run together.
///
/// A layer has 5 barriers for one token (7 for several, whose norms the threads share): behind q, k, v, their rotation and the
/// cache; attention; its output matrix; the first half of the FFN; the second.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/table.h"
#include "lib/runtime/recorder.h"
#include "mote/spec.h"

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

struct Range {
  int first, last;
  int size() const noexcept { return last - first; }
};

/// Where part i begins when n things are cut into n_parts of nearly equal size; n for i = n_parts.
inline int part_begin(int n, int i, int n_parts) noexcept { return static_cast<int>(static_cast<std::int64_t>(n) * i / n_parts); }

/// Which tokens of a pass a step computes: all, or those that get logits.
enum class Scope : std::uint8_t { tokens, outputs };
inline int count_of(Scope scope, const Pass& pass) noexcept { return scope == Scope::tokens ? pass.n_tokens() : pass.n_outputs; }

/// How many items of its share of a step a thread has given out, to itself and to others.
struct alignas(64) ShareCounter {
  std::atomic<int> taken{0};
};

/// The items of a step, as one thread takes them: the ranges of its own share first, front to back, so that what it reads is one
/// stream; then what others have left of theirs, so that a late thread does not hold up the step.
class Items {
 public:
  /// counters: [n_threads], all 0 when the step begins.
  Items(std::span<ShareCounter> counters, int thread)
      : counters_(counters), thread_(thread), owner_(thread), n_owners_left_(n_threads()) {}
  int thread() const noexcept { return thread_; }
  int n_threads() const noexcept { return static_cast<int>(counters_.size()); }
  /// The next range [first, last) of the step's n_items, at most `most` long; false when none is left. Ranges become shorter
  /// towards the end of a share, so that all threads end at nearly the same time.
  bool take(int n_items, int most, int& first, int& last) noexcept {
    constexpr int kRangesOfRest = 8;
    for (; n_owners_left_ > 0; --n_owners_left_, owner_ = owner_ + 1 < n_threads() ? owner_ + 1 : 0) {
      std::atomic<int>& taken = counters_[static_cast<std::size_t>(owner_)].taken;
      const int begin = share_begin(n_items, owner_), end = share_begin(n_items, owner_ + 1);
      const int rest = end - begin - taken.load(std::memory_order_relaxed);
      if (rest <= 0) continue;
      const int n = n_threads() == 1 ? std::min(rest, most) : std::clamp(rest / kRangesOfRest, 1, most);
      first = begin + taken.fetch_add(n, std::memory_order_relaxed);
      last = std::min(first + n, end);
      if (first < end) return true;
    }
    return false;
  }

 private:
  int share_begin(int n_items, int owner) const noexcept { return part_begin(n_items, owner, n_threads()); }

  std::span<ShareCounter> counters_;
  int thread_, owner_, n_owners_left_;
};

/// How a step over some units of outputs (panels, heads) is cut: all tokens of a pass at once for as few as read the weights
/// once; with many tokens a block of them for each thread, so that what a thread has computed is what it needs in the next step.
/// (Fetching it from another core costs more than reading the weights from memory once for each thread.)
struct TokenBlocks {
  int n_tokens, n_blocks;
  TokenBlocks(int tokens, int n_threads) : n_tokens(tokens), n_blocks(tokens / kFewest >= n_threads ? n_threads : 1) {}
  /// The next range of units of one block, as Items::take; a share is a whole block, so no range is of two.
  bool take(Items& items, int n_units, int most, Range& tokens, Range& units) const noexcept {
    if (!items.take(n_blocks * n_units, most, units.first, units.last)) return false;
    const int block = units.first / n_units;
    tokens = {part_begin(n_tokens, block, n_blocks), part_begin(n_tokens, block + 1, n_blocks)};
    units = {units.first - block * n_units, units.last - block * n_units};
    return true;
  }
  static constexpr int kFewest = 64; ///< tokens of a block
};

class Step {
 public:
  explicit Step(const runtime::StepTag& step_tag) : tag(step_tag) {}
  virtual ~Step() = default;
  /// Called by every thread of the pool. Reads what earlier steps wrote; the threads write disjoint parts.
  virtual void run(const Pass& pass, Items items) const noexcept = 0;
  /// Whether threads read in later steps what others write in this one, so that all must have done it before any goes on.
  virtual bool ends_at_barrier(const Pass&) const noexcept { return true; }
  const runtime::StepTag tag;
};

struct Plan {
  std::vector<std::unique_ptr<const AttentionSpec>> latent_specs; ///< that steps refer to
  std::vector<std::unique_ptr<Step>> steps;
  std::size_t n_body = 0; ///< the steps before the head, which runs only in passes that have outputs
};

} // namespace mote::decoder

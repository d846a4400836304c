/// The merging that turns characters or bytes into tokens, for both kinds of vocabulary.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mote::text {

/// A part of the text that is, or may become, a token.
struct Symbol {
  std::uint32_t begin = 0; ///< in the text
  std::uint32_t size = 0;  ///< bytes; 0: swallowed by the symbol before it
  std::int32_t token = -1; ///< -1: the vocabulary has none for it
  std::uint32_t previous = 0, next = 0;
};

/// What two neighbours become.
struct Merge {
  std::int32_t token = -1;     ///< -1: nothing
  std::uint32_t priority = 0;  ///< lower goes first
};

/// Merges the pair of neighbours of the lowest priority, the leftmost of equals, until none is left: O(n log n) for n symbols.
/// Reuses its memory from one word to the next.
class Merger {
 public:
  void clear() noexcept { symbols_.clear(); }
  void add(std::uint32_t begin, std::uint32_t size, std::int32_t token) {
    const auto n = static_cast<std::uint32_t>(symbols_.size());
    symbols_.push_back({begin, size, token, n - 1, n + 1}); // before the first: kNone, after the last: one beyond
  }
  bool empty() const noexcept { return symbols_.empty(); }

  /// merge_of(left, right): the Merge of two neighbours.
  template <class MergeOf>
  void run(MergeOf merge_of) {
    queue_.clear();
    const auto n = static_cast<std::uint32_t>(symbols_.size());
    for (std::uint32_t i = 0; i + 1 < n; ++i) propose(i, merge_of);
    std::make_heap(queue_.begin(), queue_.end(), Later{});
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end(), Later{});
      const Pair pair = queue_.back();
      queue_.pop_back();
      Symbol& left = symbols_[pair.left];
      if (left.size == 0 || left.next >= n) continue;
      Symbol& right = symbols_[left.next];
      if (left.size + right.size != pair.size) continue; // one of the two has been merged otherwise since
      left.size = pair.size;
      left.token = pair.token;
      right.size = 0;
      left.next = right.next;
      if (left.next < n) symbols_[left.next].previous = pair.left;
      if (left.previous != kNone && propose(left.previous, merge_of)) std::push_heap(queue_.begin(), queue_.end(), Later{});
      if (propose(pair.left, merge_of)) std::push_heap(queue_.begin(), queue_.end(), Later{});
    }
  }
  /// use(symbol) for those that are left, in the order of the text.
  template <class Use>
  void for_each(Use use) const {
    for (std::size_t i = 0; i < symbols_.size(); i = symbols_[i].next) use(symbols_[i]);
  }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  struct Pair {
    std::uint32_t priority, left; // the order; left: place of the left symbol
    std::uint32_t size;           // of both together when they were proposed
    std::int32_t token;
  };
  struct Later {
    bool operator()(const Pair& a, const Pair& b) const noexcept {
      return a.priority != b.priority ? a.priority > b.priority : a.left > b.left;
    }
  };

  /// Puts a symbol and its right neighbour at the end of the queue if they can be merged.
  template <class MergeOf>
  bool propose(std::uint32_t left, MergeOf& merge_of) {
    const Symbol& a = symbols_[left];
    if (a.next >= symbols_.size()) return false;
    const Symbol& b = symbols_[a.next];
    const Merge merge = merge_of(a, b);
    if (merge.token < 0) return false;
    queue_.push_back({merge.priority, left, a.size + b.size, merge.token});
    return true;
  }

  std::vector<Symbol> symbols_;
  std::vector<Pair> queue_; // a heap
};

} // namespace mote::text

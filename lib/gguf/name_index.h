/// Places of names in a list.
#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace mote::gguf {

/// Finds a name in O(log n). Sorted rather than hashed: nobody can choose names that make it slow.
class NameIndex {
 public:
  using Entry = std::pair<std::string_view, std::size_t>; ///< a name and its place

  NameIndex() = default;
  /// The names must live as long as the index.
  explicit NameIndex(std::vector<Entry> entries) : entries_(std::move(entries)) { std::sort(entries_.begin(), entries_.end()); }

  std::optional<std::size_t> find(std::string_view name) const noexcept {
    const auto it =
        std::lower_bound(entries_.begin(), entries_.end(), name, [](const Entry& e, std::string_view n) { return e.first < n; });
    if (it == entries_.end() || it->first != name) return std::nullopt;
    return it->second;
  }
  /// The places of two equal names, the lower first, if there are any.
  std::optional<std::pair<std::size_t, std::size_t>> duplicate() const noexcept {
    const auto it =
        std::adjacent_find(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.first == b.first; });
    if (it == entries_.end()) return std::nullopt;
    return std::pair(it->second, std::next(it)->second);
  }

 private:
  std::vector<Entry> entries_;
};

} // namespace mote::gguf

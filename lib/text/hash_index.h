/// Finds the elements of an array by a hash of what they hold.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace mote::text {

inline std::uint64_t mix(std::uint64_t x) noexcept {
  x *= 0x9E3779B97F4A7C15u;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;
  return x ^ x >> 29;
}

inline std::uint64_t hash_number(std::uint64_t x, std::uint64_t seed) noexcept { return mix(x ^ mix(seed + 1)); }

inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed) noexcept {
  std::uint64_t h = mix(seed + 1) ^ text.size(), word = 0;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    h = mix(h ^ word);
  }
  word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  return mix(h ^ word);
}

/// Open addressing over the numbers of the elements; the elements themselves stay with the owner. Whoever chooses the elements
/// of a file could choose them so that they collide: then another seed is taken.
class HashIndex {
 public:
  struct Twins {
    std::size_t first, second;
  };

  /// hash(i, seed): of element i, or nothing if it is not to be found. equal(i, j): whether two elements are the same.
  /// Elements must be fewer than 2^31. Returns two equal elements, the lower first, if there are any; then the index is useless.
  template <class Hash, class Equal>
  std::optional<Twins> build(std::size_t n, Hash hash, Equal equal) {
    std::size_t n_slots = 16;
    while (n_slots < 2 * n) n_slots *= 2;
    constexpr std::uint64_t kSeeds = 8;
    for (seed_ = 0; seed_ < kSeeds; ++seed_) {
      slots_.assign(n_slots, Slot{});
      bool crowded = false;
      for (std::size_t i = 0; i < n && !crowded; ++i) {
        const std::optional<std::uint64_t> h = hash(i, seed_);
        if (!h) continue;
        const Slot mine{tag_of(*h), static_cast<std::int32_t>(i)};
        std::size_t probes = 0, at = home_of(*h);
        for (; slots_[at].element >= 0; at = next(at), ++probes) {
          if (slots_[at].tag == mine.tag && equal(static_cast<std::size_t>(slots_[at].element), i)) {
            return Twins{static_cast<std::size_t>(slots_[at].element), i};
          }
        }
        slots_[at] = mine;
        crowded = probes > kMaxProbes && seed_ + 1 < kSeeds;
      }
      if (!crowded) break;
    }
    return std::nullopt;
  }
  std::uint64_t seed() const noexcept { return seed_; }
  /// is(element): whether it is the one sought, whose hash with seed() is given. -1: it is not here.
  template <class Is>
  std::int32_t find(std::uint64_t hash, Is is) const noexcept {
    if (slots_.empty()) return -1;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = home_of(hash); slots_[at].element >= 0; at = next(at)) {
      if (slots_[at].tag == tag && is(static_cast<std::size_t>(slots_[at].element))) return slots_[at].element;
    }
    return -1;
  }
  std::size_t memory_bytes() const noexcept { return slots_.capacity() * sizeof slots_[0]; }

 private:
  struct Slot {
    std::uint32_t tag = 0;     // other bits of the hash than those that choose the slot
    std::int32_t element = -1; // -1: free
  };
  static constexpr std::size_t kMaxProbes = 128;

  static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }
  std::size_t home_of(std::uint64_t hash) const noexcept { return static_cast<std::size_t>(hash) & (slots_.size() - 1); }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }

  std::vector<Slot> slots_; // a power of two, at most half of it taken
  std::uint64_t seed_ = 0;
};

} // namespace mote::text

/// Many strings in one piece of memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mote::text {

/// Strings by number, in the order in which they were added. Holds up to 4 GiB of text; the caller sees to that.
class StringTable {
 public:
  void reserve(std::size_t n_strings, std::size_t n_bytes) {
    ends_.reserve(n_strings);
    bytes_.reserve(n_bytes);
  }
  void add(std::string_view text) {
    bytes_ += text;
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  }
  std::size_t size() const noexcept { return ends_.size(); }
  std::string_view operator[](std::size_t i) const noexcept {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + begin, ends_[i] - begin};
  }
  std::size_t memory_bytes() const noexcept { return bytes_.capacity() + ends_.capacity() * sizeof ends_[0]; }

 private:
  std::string bytes_;
  std::vector<std::uint32_t> ends_; // ends_[i]: where string i ends and the next one begins
};

} // namespace mote::text

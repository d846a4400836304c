/// Reads little-endian bytes front to back and never beyond their end.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "lib/gguf/format.h"
#include "mote/result.h"

namespace mote::gguf {

static_assert(std::endian::native == std::endian::little, "the format's numbers are read as they lie in the file");

/// Unaligned.
template <class T> T load(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Errors (bad_file) say what did not fit and where, not whose it was: the caller puts the file and the key in front.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  std::size_t at() const noexcept { return at_; }
  std::size_t remaining() const noexcept { return bytes_.size() - at_; }

  template <class T> Result<T> number() {
    if (remaining() < sizeof(T)) {
      return Error{ErrorCode::bad_file, "cut off: " + bytes_text(sizeof(T)) + " expected at byte " + std::to_string(at_) + ", " +
                                            std::to_string(remaining()) + " left"};
    }
    const T value = load<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }
  /// n bytes; the caller has checked that they remain.
  std::span<const std::byte> take(std::size_t n) noexcept {
    const auto taken = bytes_.subspan(at_, n);
    at_ += n;
    return taken;
  }
  /// A u64 length and as many bytes.
  Result<std::string_view> string() {
    auto length = number<std::uint64_t>();
    if (!length) return std::move(length).error();
    if (*length > remaining()) {
      return Error{ErrorCode::bad_file, "a string of " + bytes_text(*length) + " at byte " + std::to_string(at_) +
                                            " reaches beyond the end (" + bytes_text(remaining()) + " left)"};
    }
    const auto bytes = take(static_cast<std::size_t>(*length));
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

} // namespace mote::gguf

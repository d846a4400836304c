/// Memory by the page.
#pragma once
#include <cstddef>
#include <span>

#include "mote/result.h"

namespace mote::runtime {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Memory of its own, or a part of a file; 64-byte aligned (with huge pages asked for when it is that large). Movable.
class Buffer {
 public:
  Buffer() = default;
  /// Zeroed; 2 MiB aligned when it is that large. Error: out_of_memory.
  static Result<Buffer> allocate(std::size_t n_bytes);
  /// The bytes of an open file from offset, a multiple of kHugePage, on, to be read only; the descriptor may be closed. The file
  /// must not be shortened meanwhile: touching bytes that are gone ends the process. Error: out_of_memory.
  static Result<Buffer> map_file(int descriptor, std::size_t offset, std::size_t n_bytes);
  Buffer(Buffer&&) noexcept;
  Buffer& operator=(Buffer&&) noexcept;
  ~Buffer();
  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::span<std::byte> span() const noexcept { return {data_, size_}; }

 private:
  /// Address space of n_bytes, rounded up to pages, at a multiple of kHugePage if it is that large.
  static Result<Buffer> reserve(std::size_t n_bytes, int protection);

  std::byte* data_ = nullptr;
  std::size_t size_ = 0, mapped_ = 0;
};

/// Cuts a buffer into arrays: call the same sequence of take() on a measuring arena (no buffer) and then on a real one.
class Arena {
 public:
  Arena() = default; ///< measures only: take() returns null
  explicit Arena(std::span<std::byte> memory) : memory_(memory) {}
  /// n elements, 64-byte aligned.
  template <class T> T* take(std::size_t n) noexcept {
    const std::size_t at = used_;
    used_ += (n * sizeof(T) + 63) / 64 * 64;
    return used_ <= memory_.size() ? reinterpret_cast<T*>(memory_.data() + at) : nullptr;
  }
  std::size_t used() const noexcept { return used_; }

 private:
  std::span<std::byte> memory_;
  std::size_t used_ = 0;
};

} // namespace mote::runtime

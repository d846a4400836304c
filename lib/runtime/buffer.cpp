#include "lib/runtime/buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <string>
#include <utility>

namespace mote::runtime {
namespace {

constexpr std::size_t kPage = std::size_t{4} << 10;

std::size_t rounded_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

void ask_for_huge_pages([[maybe_unused]] std::byte* begin, [[maybe_unused]] std::size_t size) {
#ifdef MADV_HUGEPAGE
  // Refused by kernels without huge pages: then it works with small ones.
  if (size >= kHugePage) madvise(begin, size, MADV_HUGEPAGE);
#endif
}

} // namespace

Result<Buffer> Buffer::reserve(std::size_t n_bytes, int protection) {
  Buffer buffer;
  const Error error{ErrorCode::out_of_memory, "out of memory: " + std::to_string(n_bytes) + " bytes cannot be had"};
  const bool huge = n_bytes >= kHugePage;
  const std::size_t unit = huge ? kHugePage : kPage, slack = huge ? kHugePage : 0;
  if (n_bytes > PTRDIFF_MAX - unit - slack) return error;
  const std::size_t size = rounded_up(n_bytes, unit);

  void* mapped = mmap(nullptr, size + slack, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return error;
  auto* begin = static_cast<std::byte*>(mapped);
  if (huge) {
    // A mapping begins at any page: of one that is a huge page too long, give back what is before and behind the aligned part.
    const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(begin) % kHugePage) % kHugePage;
    if (before > 0) munmap(begin, before);
    if (slack > before) munmap(begin + before + size, slack - before);
    begin += before;
  }
  buffer.data_ = begin;
  buffer.size_ = n_bytes;
  buffer.mapped_ = size;
  return buffer;
}

Result<Buffer> Buffer::allocate(std::size_t n_bytes) {
  if (n_bytes == 0) return Buffer();
  auto buffer = reserve(n_bytes, PROT_READ | PROT_WRITE);
  if (buffer) ask_for_huge_pages(buffer->data_, buffer->mapped_);
  return buffer;
}

Result<Buffer> Buffer::map_file(int descriptor, std::size_t offset, std::size_t n_bytes) {
  if (n_bytes == 0) return Buffer();
  auto buffer = reserve(n_bytes, PROT_NONE);
  if (!buffer) return buffer;
  // Over the reserved addresses: that is how a file's bytes come to lie at the same place in a huge page as in the file.
  void* mapped = mmap(buffer->data_, n_bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, static_cast<off_t>(offset));
  if (mapped == MAP_FAILED)
    return Error{ErrorCode::out_of_memory, "out of memory: " + std::to_string(n_bytes) + " bytes of a file cannot be mapped"};
  ask_for_huge_pages(buffer->data_, n_bytes);
  return buffer;
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

Buffer::~Buffer() {
  if (data_ != nullptr) munmap(data_, mapped_);
}

} // namespace mote::runtime

#include "lib/gguf/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace mote::gguf {
namespace {

/// An open file, closed at the end.
struct Descriptor {
  int fd;
  explicit Descriptor(int file) noexcept : fd(file) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

} // namespace

Error io_error(const std::string& path, const std::string& what, int error_number) {
  return Error{ErrorCode::io, path + ": " + what + ": " + std::generic_category().message(error_number)};
}

Result<Mapping> Mapping::open(const std::string& path, std::string_view what) {
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd < 0) return io_error(path, "cannot be opened", errno);
  struct stat status {};
  const std::string expected = ", expected " + std::string(what);
  if (::fstat(file.fd, &status) != 0) return io_error(path, "its size cannot be read", errno);
  if (S_ISDIR(status.st_mode)) return Error{ErrorCode::io, path + ": is a directory" + expected};
  if (!S_ISREG(status.st_mode)) return Error{ErrorCode::io, path + ": is not a regular file" + expected};
  if (status.st_size == 0) return Error{ErrorCode::bad_file, path + ": is empty" + expected};
  if (!std::in_range<std::size_t>(status.st_size)) {
    return Error{ErrorCode::unsupported,
                 path + ": " + std::to_string(status.st_size) + " bytes are more than a process can map here"};
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) return io_error(path, "its " + std::to_string(size) + " bytes cannot be mapped", errno);
  Mapping mapping;
  mapping.bytes_ = {static_cast<const std::byte*>(address), size};
  mapping.modified_ns_ = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  return mapping;
}

Mapping::Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})), modified_ns_(other.modified_ns_) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(modified_ns_, other.modified_ns_);
  return *this;
}

Mapping::~Mapping() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void release_pages(std::span<const std::byte> mapped) noexcept {
  if (mapped.empty()) return;
  // Rounded outwards: the neighbours on a shared page lose nothing, since clean pages are read again.
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(mapped.data());
  const std::uintptr_t start = first / page * page;
  ::madvise(reinterpret_cast<void*>(start), first + mapped.size() - start, MADV_DONTNEED);
}

} // namespace mote::gguf

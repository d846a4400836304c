/// A whole file in memory, read only.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mote/result.h"

namespace mote::gguf {

/// Movable; the bytes stay where they are. Pages are read from the file when they are first touched. A file that another
/// program shortens while it is mapped cannot be guarded against: touching the lost pages ends the process (SIGBUS).
class Mapping {
 public:
  Mapping() = default;
  /// what: "a GGUF file", for messages. Errors: io (missing, no regular file, not readable, cannot be mapped), bad_file (empty),
  /// with the path in front.
  static Result<Mapping> open(const std::string& path, std::string_view what);
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  std::span<const std::byte> bytes() const noexcept { return bytes_; }
  /// When the file was changed last, as it was opened: nanoseconds since 1970.
  std::int64_t modified_ns() const noexcept { return modified_ns_; }

 private:
  std::span<const std::byte> bytes_;
  std::int64_t modified_ns_ = 0;
};

/// Tells the system that the pages which these mapped bytes touch are not needed now. They are read again when they are.
void release_pages(std::span<const std::byte> mapped) noexcept;

/// "path: what: No such file or directory", from errno as it was.
Error io_error(const std::string& path, const std::string& what, int error_number);

} // namespace mote::gguf

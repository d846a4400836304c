#include "bench/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace bench {
namespace {

namespace fs = std::filesystem;
using mote::Status;

mote::Error io_error(const std::string& path, const char* what, int error) {
  return {mote::ErrorCode::io, fmt::format("{}: cannot {}: {}", path, what, std::strerror(error))};
}

/// In the same folder, so that it can be renamed.
std::string temporary_path(const std::string& path) { return fmt::format("{}.{}.tmp", path, getpid()); }

/// Errors speak of the path `meant`.
Status write_file(const std::string& path, int flags, std::string_view text, const std::string& meant) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  if (file < 0) return io_error(meant, "open it for writing", errno);
  while (!text.empty()) {
    const ssize_t n = ::write(file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      ::close(file);
      return io_error(meant, "write", error);
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::close(file) != 0) return io_error(meant, "write", errno);
  return {};
}

} // namespace

mote::Result<Output> Output::open(const std::string& path) {
  Output output;
  if (path.empty()) return output;
  std::error_code error;
  const fs::path target = fs::weakly_canonical(path, error);
  output.path_ = error ? path : target.string();
  const fs::file_status status = fs::status(output.path_, error);
  if (fs::is_directory(status)) return io_error(path, "write", EISDIR);
  output.in_place_ = fs::exists(status) && !fs::is_regular_file(status);
  if (output.in_place_) return output;
  const std::string trial = temporary_path(output.path_);
  if (Status s = write_file(trial, O_CREAT | O_EXCL, "", path); !s) return s.error();
  ::unlink(trial.c_str());
  return output;
}

Status Output::write(std::string_view text) {
  if (!path_.empty()) {
    text_ += text;
    return {};
  }
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    return io_error("standard output", "write", errno);
  return {};
}

Status Output::finish() {
  if (path_.empty()) return {};
  if (in_place_) return write_file(path_, 0, text_, path_);
  const std::string temporary = temporary_path(path_);
  if (Status s = write_file(temporary, O_CREAT | O_EXCL, text_, path_); !s) {
    ::unlink(temporary.c_str());
    return s;
  }
  if (std::rename(temporary.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return io_error(path_, "put the finished file in its place", error);
  }
  return {};
}

} // namespace bench

#include "bench/progress.h"

#include <unistd.h>

#include <cstdio>

namespace bench {

Progress::Progress() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::show(const std::string& line) {
  if (!is_terminal_ || line == shown_) return;
  std::fprintf(stderr, "\r\033[K%s", line.c_str()); // back to the first column, and clear the line
  std::fflush(stderr);
  shown_ = line;
}

void Progress::clear() {
  if (shown_.empty()) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_.clear();
}

} // namespace bench

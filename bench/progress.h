/// A line on a terminal that says what is being done.
#pragma once
#include <string>

namespace bench {

/// Writes to stderr, and only if that is a terminal. The line is gone when the object is.
class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Takes the place of the line before.
  void show(const std::string& line);
  void clear();

 private:
  const bool is_terminal_;
  std::string shown_;
};

} // namespace bench

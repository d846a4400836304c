/// Where the reports go: standard output, or a file that appears under its name only when it is complete.
#pragma once
#include <string>
#include <string_view>

#include "mote/result.h"

namespace bench {

class Output {
 public:
  /// An empty path is standard output. That a file can be made is tried at once. Error: io.
  static mote::Result<Output> open(const std::string& path);
  /// Standard output shows it at once; a file takes it in finish(). Error: io.
  mote::Status write(std::string_view text);
  /// Error: io; the file is then as it was before.
  mote::Status finish();

 private:
  std::string path_;      ///< after symbolic links; empty: standard output
  bool in_place_ = false; ///< a device or a pipe: nothing can take its place
  std::string text_;
};

} // namespace bench

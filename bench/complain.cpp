#include "bench/complain.h"

#include <fmt/format.h>

#include <cstdio>

namespace bench {

int complain(std::string_view program, const mote::Error& error) {
  constexpr int kFailure = 1, kUsage = 2;
  std::string line = error.message;
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  fmt::print(stderr, "{}: {}\n", program, line);
  return error.code == mote::ErrorCode::invalid_argument ? kUsage : kFailure;
}

} // namespace bench

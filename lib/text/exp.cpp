#include "lib/text/exp.h"

#include <bit>
#include <cstdint>

namespace mote::text {

double exp_negative(double x) noexcept {
  if (x < -708) return 0; // e^x would not be a normal number
  // x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts, the first with zeros at the end so that n times it is exact.
  constexpr double kLog2e = 0x1.71547652b82fep+0, kLn2High = 0x1.62e42fefa0000p-1, kLn2Low = 0x1.cf79abc9e3b39p-40;
  const auto n = static_cast<std::int64_t>(x * kLog2e - 0.5); // rounds towards zero, from below
  const double r = (x - static_cast<double>(n) * kLn2High) - static_cast<double>(n) * kLn2Low;
  // Taylor series to r^13 / 13!: the rest is below 1e-17.
  constexpr double kInverseFactorials[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                                           1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       1.0 / 2,      1.0,         1.0};
  double e = 0;
  for (const double coefficient : kInverseFactorials) e = e * r + coefficient;
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(e) + (static_cast<std::uint64_t>(n) << 52)); // e * 2^n
}

} // namespace mote::text

#include "lib/decoder/portable_math.h"

#include <cmath>

namespace mote::decoder {

namespace {

constexpr double kLn2High = 0x1.62e42fefa0000p-1, kLn2Low = 0x1.cf79abc9e3b39p-40;

} // namespace

double log_of(double x) noexcept {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  const double z = (m - 1) / (m + 1), z2 = z * z; // ln m = 2 atanh z, |z| < 0.172
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * z2 + 1.0 / k;
  return exponent * kLn2High + (exponent * kLn2Low + 2 * z * sum);
}

double exp_of(double x) noexcept {
  const double n = std::floor(x * 1.4426950408889634 + 0.5);
  const double r = (x - n * kLn2High) - n * kLn2Low; // |r| < 0.35
  double sum = 1;
  for (int k = 16; k >= 1; --k) sum = 1 + sum * r / k;
  return std::ldexp(sum, static_cast<int>(n));
}

void cos_sin_of(double angle, double& cos, double& sin) noexcept {
  // pi/2 in parts of 25 bits: their products with the number of quarter turns are exact
  constexpr double kPart1 = 0x1.921fb50000000p+0, kPart2 = 0x1.110b460000000p-26, kPart3 = 0x1.1a62633145c07p-54;
  const double quarters = std::floor(angle * 0.63661977236758134 + 0.5);
  const double r = ((angle - quarters * kPart1) - quarters * kPart2) - quarters * kPart3, r2 = r * r; // |r| <= pi/4
  double c = 1, s = 1;
  for (int k = 18; k >= 2; k -= 2) {
    c = 1 - c * r2 / (k * (k - 1));
    s = 1 - s * r2 / (k * (k + 1));
  }
  s *= r;
  const int quadrant = static_cast<int>(static_cast<long long>(quarters) & 3);
  const double values[4] = {c, -s, -c, s};
  cos = values[quadrant];
  sin = values[(quadrant + 3) & 3];
}

} // namespace mote::decoder

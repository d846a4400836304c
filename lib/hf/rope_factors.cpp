#include "lib/hf/rope_factors.h"

#include <numbers>

namespace mote::hf {

namespace {

double power(double x, int n) {
  double product = 1;
  for (int i = 0; i < n; ++i) product *= x;
  return product;
}

/// The n-th root of x >= 1. By multiplication only: a libm's pow differs between platforms in the last bit, and with it would
/// the model.
double root(double x, int n) {
  double low = 1, high = x;
  for (int i = 0; i < 200; ++i) {
    const double middle = low + (high - low) / 2;
    (power(middle, n) <= x ? low : high) = middle;
  }
  return low;
}

} // namespace

std::vector<float> llama3_factors(int dims, double base, const Llama3Scaling& scaling) {
  const int n = dims / 2;
  const double ratio = root(base, n), low = scaling.low_freq_factor, high = scaling.high_freq_factor;
  std::vector<float> factors;
  double wavelength = 2 * std::numbers::pi; // in positions, of pair 0
  for (int i = 0; i < n; ++i, wavelength *= ratio) {
    if (wavelength < scaling.original_ctx / high) {
      factors.push_back(1.0f);
    } else if (wavelength > scaling.original_ctx / low) {
      factors.push_back(static_cast<float>(scaling.factor));
    } else {
      const double kept = (scaling.original_ctx / wavelength - low) / (high - low);
      factors.push_back(static_cast<float>(1 / ((1 - kept) / scaling.factor + kept)));
    }
  }
  return factors;
}

std::vector<float> ntk_factors(int dims, double alpha) {
  const double ratio = root(alpha, dims / 2 - 1);
  std::vector<float> factors;
  for (int i = 0; i < dims / 2; ++i) factors.push_back(static_cast<float>(power(ratio, i)));
  return factors;
}

} // namespace mote::hf

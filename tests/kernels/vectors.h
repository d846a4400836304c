/// What the tests of the vector operations share: vectors of exact size or between guards, and difficult values for them.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/kernels/matrices.h"

namespace kernel_tests {

inline const int kLengths[] = {1, 2, 3, 15, 16, 17, 31, 33, 100, 257, 896, 4096};

enum class Values {
  usual, ///< around 1, some zero, tiny or large
  any,   ///< also infinite and NaN
};

inline std::vector<float> random_values(int n, Values kind, Random& random) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (float& v : x) {
    v = random.unit() * 3;
    switch (random.below(32)) {
      case 0: v = 0.0f; break;
      case 1: v = -0.0f; break;
      case 2: v *= 0x1p-140f; break; // subnormal
      case 3: v *= 0x1p-30f; break;
      case 4: v *= 40; break;
      case 5: if (kind == Values::any) v = std::bit_cast<float>(random.u32()); break;
      case 6: if (kind == Values::any) v = random.below(2) ? HUGE_VALF : -HUGE_VALF; break;
      case 7: if (kind == Values::any) v = std::numeric_limits<float>::quiet_NaN(); break;
      default: break;
    }
  }
  return x;
}

/// n elements, aligned to no more than themselves, with a guard in front. Behind them the memory ends, so that a sanitizer sees
/// the first access too far; or there are more guards.
template <class T> class Guarded {
 public:
  Guarded(const std::vector<T>& values, bool guards_behind)
      : n_(values.size()), memory_(n_ + 1 + (guards_behind ? 40 : 0)) {
    std::memset(static_cast<void*>(memory_.data()), kGuard, memory_.bytes());
    for (std::size_t i = 0; i < n_; ++i) data()[i] = values[i];
  }
  T* data() const { return memory_.data() + 1; }
  std::vector<T> values() const { return std::vector<T>(data(), data() + n_); }
  bool guards_intact() const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(memory_.data());
    for (std::size_t i = 0; i < memory_.bytes(); ++i) {
      if (i >= sizeof(T) && i < (n_ + 1) * sizeof(T)) continue;
      if (bytes[i] != kGuard) return false;
    }
    return true;
  }

 private:
  static constexpr unsigned char kGuard = 0xa5;
  std::size_t n_;
  Exact<T> memory_;
};

/// Equal to the last bit, but one NaN is as good as another.
inline bool same_value(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}
inline bool same_values(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_value(a[i], b[i])) return false;
  }
  return true;
}

/// Distance of neighbouring floats at a value of this size.
inline double ulp_of(double value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::ldexp(1.0, std::max(exponent - 24, -149));
}

constexpr double kHalfUlp = 0x1p-24; ///< relative error of one rounding

} // namespace kernel_tests

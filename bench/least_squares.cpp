#include "bench/least_squares.h"

#include <algorithm>
#include <cmath>

namespace bench {

LeastSquares::LeastSquares(std::size_t n_costs) : products_(n_costs * n_costs), right_(n_costs) {}

void LeastSquares::add(const std::vector<std::pair<std::size_t, double>>& terms, double measured, double weight) {
  for (const auto& [i, x] : terms) {
    right_[i] += weight * x * measured;
    for (const auto& [j, y] : terms) product(i, j) += weight * x * y;
  }
}

std::vector<double> LeastSquares::solve() const {
  // One cost after the other is set to its best value beside the others, until that changes nothing. The sum of squares is
  // convex, so this ends at its least value.
  constexpr int kMostSweeps = 200'000;
  constexpr double kSmallStep = 1e-9; // of the largest contribution
  const std::size_t n = right_.size();
  std::vector<double> costs(n);
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    double change = 0, largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (product(i, i) <= 0) continue;
      double rest = right_[i];
      for (std::size_t j = 0; j < n; ++j) rest -= j == i ? 0 : product(i, j) * costs[j];
      const double best = std::max(0.0, rest / product(i, i)), scale = std::sqrt(product(i, i));
      change = std::max(change, scale * std::fabs(best - costs[i]));
      largest = std::max(largest, scale * best);
      costs[i] = best;
    }
    if (change <= kSmallStep * largest) break;
  }
  return costs;
}

} // namespace bench

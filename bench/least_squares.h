/// Costs from sums of them.
#pragma once
#include <utility>
#include <vector>

namespace bench {

/// Finds costs c >= 0 for which the sums x_1 c_1 + x_2 c_2 + ... come nearest to what was measured.
class LeastSquares {
 public:
  explicit LeastSquares(std::size_t n_costs);
  /// The terms (number of the cost, x) of a sum. weight: of its squared error.
  void add(const std::vector<std::pair<std::size_t, double>>& terms, double measured, double weight);
  /// [n_costs]. Costs that no sum has are 0.
  std::vector<double> solve() const;

 private:
  double& product(std::size_t i, std::size_t j) { return products_[i * right_.size() + j]; }
  double product(std::size_t i, std::size_t j) const { return products_[i * right_.size() + j]; }

  std::vector<double> products_; ///< [n_costs, n_costs]: X^T W X
  std::vector<double> right_;    ///< [n_costs]: X^T W y
};

} // namespace bench

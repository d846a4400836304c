/// Of lists of numbers.
#pragma once
#include <span>
#include <vector>

namespace bench {

/// The value that a share of the numbers do not exceed: the smallest such one of the list. values: not empty; share: 0..1.
double quantile(std::vector<double> values, double share);
/// The middle one, or the mean of the two middle ones. values: not empty.
double median(std::vector<double> values);

/// Of pairs x[i], y[i], two or more; NaN where all x or all y are equal.
double pearson(std::span<const double> x, std::span<const double> y);
/// pearson of the ranks; equal numbers share the mean of their ranks.
double spearman(std::span<const double> x, std::span<const double> y);

} // namespace bench

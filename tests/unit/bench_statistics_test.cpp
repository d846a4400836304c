#include "bench/statistics.h"

#include <cmath>

#include "tests/catch.h"

using namespace bench;

TEST_CASE("statistics: quantiles and medians") {
  CHECK(quantile({5, 1, 4, 2, 3}, 0.9) == 5);
  CHECK(quantile({5, 1, 4, 2, 3}, 0.8) == 4);
  CHECK(quantile({5, 1, 4, 2, 3}, 0) == 1);
  CHECK(median({5, 1, 4}) == 4);
  CHECK(median({5, 1, 4, 2}) == 3);
}

TEST_CASE("statistics: correlations") {
  const double x[] = {1, 2, 3, 4}, twice[] = {2, 4, 6, 8}, falling[] = {8, 1, 0.5, -3}, same[] = {7, 7, 7, 7};
  CHECK(pearson(x, twice) == 1);
  CHECK(spearman(x, falling) == -1);
  CHECK(pearson(x, falling) > -1);
  CHECK(std::isnan(pearson(x, same)));
  CHECK(std::isnan(spearman(same, x)));
  // ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / sqrt(4.5 * 5)
  const double ties[] = {1, 2, 2, 9};
  CHECK(std::abs(spearman(ties, x) - 4.5 / std::sqrt(22.5)) < 1e-15);
}

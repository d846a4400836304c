// Specs that say the same thing in two ways compute the same.
#include <cstring>

#include "tests/property/models.h"

using namespace mote;
using namespace mote::test;

TEST_CASE("the same seed makes the same model, another seed another one") {
  const auto spec = spec_from_shape(awkward_shapes()[1]);
  REQUIRE(spec);
  const auto make = [&](std::uint64_t seed, int n_threads) {
    ModelOptions options;
    options.n_threads = n_threads;
    auto model = Model::random(*spec, Mix::Q4_K_M, seed, options);
    REQUIRE(model);
    return logits_of(*model, make_prompt(*model, 5), {}, {5});
  };
  const auto expected = make(3, 1);
  CHECK(make(3, 4) == expected);
  CHECK(make(4, 1) != expected);
}

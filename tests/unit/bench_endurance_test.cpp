#include "bench/endurance.h"

#include "tests/catch.h"

namespace {

/// Its context is over after a few tokens, so that it must begin anew now and then.
mote::Model small_model() {
  const auto spec = mote::spec_from_shape("layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=300,ctx=20");
  REQUIRE(spec);
  auto model = mote::Model::random(*spec, mote::Mix::Q8_0, 1);
  REQUIRE(model);
  return *std::move(model);
}

bench::Runner runner_of(const mote::Model& model) {
  auto runner = bench::Runner::create(model, {.n_threads = 1, .profile = true}, {1, 2, 3, 4, 5});
  REQUIRE(runner);
  return *std::move(runner);
}

} // namespace

TEST_CASE("What measuring costs is of as many tokens with as without", "[bench]") {
  const mote::Model model = small_model();
  bench::Runner runner = runner_of(model);
  const auto overhead = bench::measure_overhead(runner, std::chrono::seconds(0));
  REQUIRE(overhead);
  CHECK(overhead->n_tokens >= 80);
  CHECK(overhead->off_ns > 0);
  CHECK(overhead->on_ns > 0);
  CHECK(overhead->least <= overhead->most);
  CHECK(overhead->share == Approx(static_cast<double>(overhead->on_ns) / static_cast<double>(overhead->off_ns) - 1).margin(0.01));
  const std::int64_t n_measured = runner.session().profile().decode.n_tokens;
  CHECK(n_measured == overhead->n_tokens); // but for those without
  REQUIRE(runner.run(1));
  CHECK(runner.session().profile().decode.n_tokens == 1); // the profiler is on
}

TEST_CASE("Speed over time covers the time that was asked for", "[bench]") {
  const mote::Model model = small_model();
  bench::Runner runner = runner_of(model);
  int shown = 0;
  const auto sustained = bench::sustain(runner, 1, [&](int seconds) { shown = seconds; });
  REQUIRE(sustained);
  CHECK(sustained->seconds == 1);
  REQUIRE_FALSE(sustained->points.empty());
  CHECK(sustained->points.back().at_ns >= 1'000'000'000);
  CHECK(sustained->points.back().tokens_per_second > 0);
  CHECK(shown >= 1);
}

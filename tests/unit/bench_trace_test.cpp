#include "bench/trace.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"

using Json = nlohmann::json;

namespace {

bench::Trial trial(std::int64_t begin_ns, std::vector<std::int64_t> token_ns) {
  bench::Trial t;
  t.begin_ns = begin_ns;
  t.wall_ns = 5000;
  t.token_ns = std::move(token_ns);
  t.profile.steps = {{mote::Component::ffn, mote::Operation::mul_mat, 3}, {mote::Component::lm_head, mote::Operation::norm, -1}};
  t.events = {{begin_ns + 100, begin_ns + 1100, 0, 0, false},
              {begin_ns + 1100, begin_ns + 1500, 0, 0, true},
              {begin_ns + 100, begin_ns + 1500, 1, 1, false}};
  return t;
}

} // namespace

TEST_CASE("A trace has a process for each run and a track for each thread", "[bench]") {
  bench::RunReport run, untraced;
  run.model = "caf\xe9 \"x\"";
  run.trace = bench::Trace{trial(1'000'000, {}), trial(1'010'000, {2000, 3000})};
  const Json file = Json::parse(bench::trace_json(std::vector{run, untraced, run}));
  std::vector<Json> spans, names;
  for (const Json& event : file.at("traceEvents")) (event.at("ph") == "X" ? spans : names).push_back(event);
  CHECK(names.size() == 2 * (2 + 2)); // process, tokens, two threads
  REQUIRE(spans.size() == 2 * (1 + 2 + 2 * 3));
  CHECK(spans[0] ==
        Json({{"ph", "X"}, {"pid", 0}, {"tid", 0}, {"name", "prompt"}, {"ts", 0.0}, {"dur", 5.0}, {"args", Json::object()}}));
  CHECK(spans[2].at("name") == "token 2");
  CHECK(spans[2].at("ts").get<double>() == Approx(12));
  CHECK(spans[3].at("name") == "ffn.mul_mat");
  CHECK(spans[3].at("tid") == 1);
  CHECK(spans[3].at("ts").get<double>() == Approx(0.1));
  CHECK(spans[3].at("dur").get<double>() == Approx(1));
  CHECK(spans[3].at("args").at("layer") == 3);
  CHECK(spans[4].at("name") == "barrier_wait");
  CHECK(spans[4].at("args").at("of") == "ffn.mul_mat");
  CHECK(spans[5].at("tid") == 2);
  CHECK(spans.back().at("pid") == 1);
}

// bench_mul_mat_vec and bench_mul_mat, as a user runs them; their command line.
#include <nlohmann/json.hpp>

#include "bench/team.h"
#include "tests/catch.h"
#include "tests/unit/bench_program.h"

namespace {

using Json = nlohmann::json;

const std::string kQuick = "--benchmark_min_time=0.001 --benchmark_format=json --threads 1 ";

} // namespace

TEST_CASE("bench_mul_mat_vec measures every combination of formats shapes and places", "[bench]") {
  const BenchProgram program("bench_mul_mat_vec");
  if (!program.exists()) return;
  const Outcome o = program.run(kQuick + "--type Q4_K,F32 --isa scalar --shape 17x256,40x512 --in L2");
  INFO(o.err);
  REQUIRE(o.status == 0);
  const Json report = Json::parse(o.out);
  std::size_t n_ours = 0;
  for (const Json& run : report.at("benchmarks")) {
    CHECK(run.at("GB/s") > 0);
    CHECK(run.at("GMAC/s") > 0);
    CHECK(run.at("cycles/256") > 0);
    const auto name = run.at("name").get<std::string>();
    if (name.find("/scalar/") != std::string::npos) ++n_ours;
  }
  CHECK(n_ours == 4);
  CHECK(report.at("benchmarks").size() % 2 == 0); // as many of each shape, with other libraries or without
  CHECK(report.at("benchmarks")[0].at("name").get<std::string>().starts_with("mul_mat_vec/Q4_K/scalar/17x256/L2/threads:1"));
  CHECK(report.at("context").contains("core clock"));
}

TEST_CASE("bench_mul_mat measures several tokens and leaves other libraries out", "[bench]") {
  const BenchProgram program("bench_mul_mat");
  if (!program.exists()) return;
  const Outcome o = program.run(kQuick + "--type Q8_0 --shape 16x64 --tokens 3,5 --no-libraries");
  INFO(o.err);
  REQUIRE(o.status == 0);
  const Json report = Json::parse(o.out);
  REQUIRE(report.at("benchmarks").size() == 2);
  CHECK(report.at("benchmarks")[1].at("name").get<std::string>().find("/tokens:5") != std::string::npos);
}

TEST_CASE("bench_mul_mat_vec says what is wrong", "[bench]") {
  const BenchProgram program("bench_mul_mat_vec");
  if (!program.exists()) return;
  for (const char* arguments : {"--type Q9", "--isa none", "--threads 0", "--in L1", "--shape 16", "--shape 16x0",
                                "--shape 16x64x2", "--tokens 3", "--no-such-option"}) {
    const Outcome o = program.run(arguments);
    INFO(arguments << ": " << o.err);
    CHECK(o.status == 2);
    CHECK(o.out.empty());
    CHECK(o.err.starts_with("bench_mul_mat_vec: "));
    CHECK(std::count(o.err.begin(), o.err.end(), '\n') == 1);
  }
  const Outcome odd = program.run(kQuick + "--type Q4_K --shape 16x64 --in L2 --no-libraries");
  CHECK(odd.status == 1);
  CHECK(odd.out.find("blocks of 256 columns") != std::string::npos);
  CHECK(program.run("--help").out.find("--shape") != std::string::npos);
}

TEST_CASE("a team does the work once on every thread", "[bench]") {
  for (const int n_threads : {1, 2, 5}) {
    const auto team = bench::Team::start(n_threads);
    REQUIRE(team);
    std::vector<int> calls(static_cast<std::size_t>(n_threads));
    for (int round = 1; round <= 3; ++round) {
      CHECK((*team)->time([&](int thread) { ++calls[static_cast<std::size_t>(thread)]; }) >= 0);
      CHECK(calls == std::vector<int>(static_cast<std::size_t>(n_threads), round));
    }
  }
}

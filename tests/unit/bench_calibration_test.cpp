#include <nlohmann/json.hpp>

#include "bench/calibration_file.h"
#include "bench/calibration_fit.h"
#include "bench/least_squares.h"
#include "tests/catch.h"
#include "tests/temp_dir.h"

namespace {

using Json = nlohmann::json;
using namespace bench;

CalibrationFile some_file() {
  CalibrationFile file{"a processor", "1.2.3", {}};
  mote::Calibration c;
  c.isa = mote::Isa::avx2;
  c.n_threads = 3;
  c.read_bandwidth = 25.5e9;
  for (const int n : {1, 64}) {
    mote::PassCost pass;
    pass.n_tokens = n;
    pass.step_ns = 0.1 * n;
    pass.activation_ns = {1, 2, 3, 4, 5};
    pass.products = {{mote::TensorType::Q4_K, 1, 1.0 / 3}, {mote::TensorType::F16, 2, 3}};
    c.passes.push_back(pass);
  }
  c.one_token = {1, 2, 3, 4, 5, 6, 7, 8};
  c.several_tokens = {8, 7, 6, 5, 4, 3, 2, 1};
  c.misses = {{1e6, 0}, {1e8, 0.75}};
  c.call_ns = 12.5;
  file.calibrations = {c, c};
  file.calibrations[1].read_bandwidth = 64e9;
  return file;
}

} // namespace

TEST_CASE("least squares: finds the costs of sums, none of them negative", "[bench]") {
  LeastSquares fit(4);
  for (int i = 1; i < 20; ++i) {
    const double x = i, y = i * i % 7;
    fit.add({{0, 1.0}, {1, x}, {2, y}}, 3 + 0.5 * x + 20 * y, 1.0 / i);
  }
  const std::vector<double> costs = fit.solve();
  CHECK(costs[0] == Approx(3).epsilon(1e-4));
  CHECK(costs[1] == Approx(0.5).epsilon(1e-4));
  CHECK(costs[2] == Approx(20).epsilon(1e-4));
  CHECK(costs[3] == 0);
  LeastSquares negative(2);
  for (int i = 1; i < 10; ++i) negative.add({{0, 1.0}, {1, static_cast<double>(i)}}, 10.0 - i, 1);
  CHECK(negative.solve()[0] == Approx(5));
  CHECK(negative.solve()[1] == 0);
}

TEST_CASE("calibration: costs come back from steps that were made of them", "[bench]") {
  Samples samples;
  for (const int n_tokens : {1, 16})
    for (const double bytes : {1e6, 1e9})
      for (const int rows : {256, 1024, 4096})
        for (const int cols : {256, 512, 2048}) {
          mote::StepWork work;
          work.operation = mote::Operation::mul_mat;
          work.layer = rows == 256 ? 0 : -1;
          work.products = {{mote::TensorType::Q8_0, rows, cols}};
          const double miss = bytes > 1e8 ? 1 : 0, weights = static_cast<double>(rows) * cols;
          const double ns = 1000 + 500 * miss + (rows == 256 ? rows * 0.5 : 0) + rows * n_tokens * 2.0 +
                            weights * n_tokens * 0.01 + miss * weights * 34 / 32 * 0.03;
          samples.steps.push_back({work, n_tokens, 0, ns, 100, bytes});
        }
  samples.passes.push_back({1, 5000, 4000, 300, 1000});
  mote::Calibration c;
  c.misses = {{1e6, 0}, {1e9, 1}};
  fit_costs(samples, c);
  REQUIRE(c.passes.size() == 2);
  for (const mote::PassCost& pass : c.passes) {
    REQUIRE(pass.products.size() == 1);
    CHECK(pass.products[0].weight_ns == Approx(0.01 * pass.n_tokens).epsilon(0.01));
    CHECK(pass.products[0].row_ns == Approx(2.0 * pass.n_tokens).epsilon(0.01));
    CHECK(pass.memory_byte_ns == Approx(0.03).epsilon(0.02));
    CHECK(pass.step_ns == Approx(1000).epsilon(0.02));
    CHECK(pass.memory_step_ns == Approx(500).epsilon(0.05));
  }
}

TEST_CASE("calibration: the share of misses grows with what is read", "[bench]") {
  std::vector<StepSample> steps;
  double ns = 1;
  for (const double bytes : {1e6, 1e7, 3e7, 1e8, 1e9}) {
    mote::StepWork work;
    work.operation = mote::Operation::mul_mat;
    work.products = {{mote::TensorType::Q8_0, 1024, 1024}};
    steps.push_back({work, 1, 0, ns, 0, bytes});
    ns = bytes == 1e7 ? 1.5 : ns + 1; // one model was faster than a smaller one
  }
  const auto misses = fit_misses(steps);
  REQUIRE(misses.size() == 5);
  CHECK(misses.front().share == 0);
  CHECK(misses.back().share == 1);
  for (std::size_t i = 1; i < misses.size(); ++i) CHECK(misses[i].share >= misses[i - 1].share);
}

TEST_CASE("calibration: a file comes back as it was written", "[bench]") {
  const CalibrationFile file = some_file();
  const mote::test::TempDir folder;
  const std::string path = folder.file("sub/folder/x.json");
  REQUIRE(write_calibration_file(file, path));
  const auto read = read_calibration_file(path);
  REQUIRE(read);
  CHECK(to_json(*read) == to_json(file));
  CHECK(read->machine == "a processor");
  REQUIRE(read->calibrations.size() == 2);
  CHECK(read->calibrations[0].passes[1].products[0].weight_ns == 1.0 / 3);
  CHECK(read->calibrations[0].one_token.memory_byte_ns == 8);
  CHECK(read->find(mote::Isa::avx2, 3, 0) == &read->calibrations[0]);
  CHECK(read->find(mote::Isa::avx2, 3, 30e9) == &read->calibrations[0]);
  CHECK(read->find(mote::Isa::avx2, 3, 60e9) == &read->calibrations[1]);
  CHECK(read->find(mote::Isa::avx2, 2, 0) == nullptr);
  CHECK(read->find(mote::Isa::scalar, 3, 0) == nullptr);
}

TEST_CASE("calibration: a damaged file is refused in a line", "[bench]") {
  const Json good = Json::parse(to_json(some_file()));
  const auto refused = [](const Json& json, const std::string& why) {
    const auto file = calibration_from_json(json.dump(), "x.json");
    REQUIRE(!file);
    CHECK(file.error().code == mote::ErrorCode::bad_file);
    CHECK(file.error().message.starts_with("x.json: "));
    CHECK(file.error().message.find('\n') == std::string::npos);
    INFO(file.error().message);
    CHECK(file.error().message.find(why) != std::string::npos);
  };
  CHECK(calibration_from_json(good.dump(), "x.json"));
  CHECK(!calibration_from_json("", "x.json"));
  CHECK(!calibration_from_json(good.dump().substr(0, 300), "x.json"));
  refused(Json::array(), "");
  refused("text", "");
  const auto changed = [&](const char* pointer, const Json& value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = value;
    return json;
  };
  refused(changed("/calibrations/0/isa", "mmx"), "mmx");
  refused(changed("/calibrations/0/passes/0/products/0/type", "Q9"), "Q9");
  refused(changed("/calibrations/0/passes/0/n_tokens", 2), "one token");
  refused(changed("/calibrations/0/passes/1/n_tokens", 1), "ascending");
  refused(changed("/calibrations/0/passes", Json::array()), "passes");
  refused(changed("/calibrations/0/call_ns", -1), "negative");
  refused(changed("/calibrations/0/call_ns", "1"), "");
  refused(changed("/calibrations/0/call_ns", nullptr), "");
  refused(changed("/calibrations/0/threads", 0), "threads");
  refused(changed("/calibrations/0/read_bandwidth_bytes_per_second", 0), "bandwidth");
  refused(changed("/calibrations/0/misses/1/share", 2), "shares");
  refused(changed("/calibrations", 5), "");
  for (const char* key : {"mote", "machine", "calibrations"}) {
    Json json = good;
    json.erase(key);
    refused(json, key);
  }
}

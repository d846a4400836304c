// bench_breakdown predict and search, with a machine that is made up: nothing is measured.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/calibration_file.h"
#include "bench/predict_options.h"
#include "bench/search.h"
#include "tests/catch.h"
#include "tests/unit/bench_program.h"

namespace {

using Json = nlohmann::json;
using namespace bench;

const BenchProgram kProgram("bench_breakdown");

/// Each weight takes so long, and each step something.
std::string machine_file(const mote::test::TempDir& folder, double weight_ns) {
  CalibrationFile file{"a machine that is elsewhere", "0", {}};
  mote::Calibration c;
  c.read_bandwidth = 1e9;
  for (const int n : {1, 256}) {
    mote::PassCost pass;
    pass.n_tokens = n;
    pass.step_ns = 1000;
    for (const mote::TypeInfo& type : mote::all_types()) pass.products.push_back({type.type, 0, weight_ns * n});
    c.passes.push_back(pass);
  }
  file.calibrations = {c};
  REQUIRE(write_calibration_file(file, folder.file("machine.json")));
  return " --isa scalar --threads 1 --calibration '" + folder.file("machine.json") + "' ";
}

SearchOptions search_for(double n_parameters) {
  SearchOptions search;
  search.n_parameters = n_parameters;
  search.vocabularies = {32000, 49152};
  return search;
}

} // namespace

TEST_CASE("search: shapes have the parameters that were asked for", "[bench]") {
  for (const double n : {30e6, 100e6, 1e9}) {
    const SearchOptions search = search_for(n);
    const auto shapes = shapes_of(search);
    CHECK(shapes.size() > 100);
    CHECK(std::set<std::string>(shapes.begin(), shapes.end()).size() > shapes.size() / 2);
    for (std::size_t i = 0; i < shapes.size(); i += 7) {
      INFO(shapes[i]);
      const auto spec = mote::spec_from_shape(shapes[i]);
      REQUIRE(spec);
      CHECK(std::abs(static_cast<double>(mote::parameter_count(*spec)) / n - 1) <= search.tolerance + 1e-9);
    }
  }
}

TEST_CASE("search: no shape of the front is beaten by another, and all hold the budget", "[bench]") {
  std::vector<Candidate> all;
  for (int i = 0; i < 300; ++i)
    all.push_back(
        {std::to_string(i), 0, 1 + i * 37 % 11, 100.0 + i * 7919 % 1009, 10.0 + i * 104729 % 499, 50.0 + i * 1299709 % 307});
  const Budget budget{.decode_ns = 800, .prefill_ns = 400, .memory_bytes = 300};
  const auto front = pareto_front(all, budget);
  REQUIRE(front.size() > 1);
  const auto within = [&](const Candidate& c) {
    return c.decode_ns <= budget.decode_ns && c.prefill_ns <= budget.prefill_ns && c.memory_bytes <= budget.memory_bytes;
  };
  const auto as_good = [](const Candidate& a, const Candidate& b) {
    return a.decode_ns <= b.decode_ns && a.memory_bytes <= b.memory_bytes && a.n_layers >= b.n_layers;
  };
  CHECK(std::ranges::is_sorted(front, {}, &Candidate::decode_ns));
  for (const Candidate& c : front) {
    CHECK(within(c));
    for (const Candidate& other : front) CHECK((c.shape == other.shape || !as_good(other, c)));
  }
  for (const Candidate& c : all) // what is left out is beaten
    if (within(c)) CHECK(std::ranges::any_of(front, [&](const Candidate& best) { return as_good(best, c); }));
}

TEST_CASE("verify: 40 models that are there", "[bench]") {
  const auto names = presets_to_verify();
  CHECK(names.size() == 40);
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == 40);
  for (const std::string& name : names) CHECK(mote::spec_from_preset(name));
}

TEST_CASE("bench_breakdown predicts with the calibration of another machine", "[bench]") {
  if (!kProgram.exists()) return;
  const mote::test::TempDir folder;
  const std::string machine = machine_file(folder, 0.5);
  const Outcome json =
      kProgram.run("predict" + machine + "--preset smollm-135m --prompt 20 --generate 5 --depth 7,1000 --format json");
  INFO(json.err);
  REQUIRE(json.status == 0);
  CHECK(json.err.empty());
  const Json prediction = Json::parse(json.out).at("predictions").at(0);
  CHECK(prediction.at("tokens").size() == 2);
  CHECK(prediction.at("tokens").at(1).at("position") == 1000);
  for (const Json* time : {&prediction.at("first_token"), &prediction.at("tokens").at(0)}) {
    double sum = 0;
    for (const Json& component : time->at("components_ns")) sum += component.get<double>();
    CHECK(sum == Approx(time->at("ns").get<double>()));
  }
  CHECK(prediction.at("memory").at("total") > prediction.at("memory").at("parameters"));
  const std::string two = "predict" + machine + "--preset smollm-135m,smollm-360m --prompt 20 --generate 5 ";
  CHECK(kProgram.run(two).out.find("first token, prompt 20") != std::string::npos);
  CHECK(kProgram.run(two + "--format markdown").out.find("| token at 24 |") != std::string::npos);
  const std::string csv = kProgram.run(two + "--format csv").out;
  CHECK(std::ranges::count(csv, '\n') == 1 + 2 * 3);
}

TEST_CASE("bench_breakdown searches within the budget", "[bench]") {
  if (!kProgram.exists()) return;
  const mote::test::TempDir folder;
  const std::string machine = machine_file(folder, 0.1);
  const Outcome o = kProgram.run("search" + machine + "--params 50M --budget decode=6ms,memory=60MB --verify 0 --format json");
  INFO(o.err);
  REQUIRE(o.status == 0);
  const Json result = Json::parse(o.out);
  REQUIRE(!result.at("front").empty());
  double last = 0;
  for (const Json& shape : result.at("front")) {
    CHECK(shape.at("token_ns").get<double>() >= last);
    last = shape.at("token_ns").get<double>();
    CHECK(last <= 6e6);
    CHECK(shape.at("memory").get<double>() <= 60e6);
    CHECK(std::abs(shape.at("n_parameters").get<double>() / 50e6 - 1) <= 0.05 + 1e-9);
  }
  CHECK(result.at("verified").empty());
  const Outcome none = kProgram.run("search" + machine + "--params 50M --budget decode=1us --verify 0");
  CHECK(none.status == 0);
  CHECK(none.out.find("0 of them within the budget") != std::string::npos);
}

TEST_CASE("bench_breakdown predict and search say in a line what is wrong", "[bench]") {
  if (!kProgram.exists()) return;
  const mote::test::TempDir folder;
  const std::string machine = machine_file(folder, 0.1);
  folder.write("damaged.json", "{\"mote\": 1");
  const auto refused = [&](const std::string& arguments, int status, const std::string& words) {
    const Outcome o = kProgram.run(arguments);
    INFO(arguments << ": " << o.err);
    CHECK(o.status == status);
    CHECK(o.out.empty());
    CHECK(std::ranges::count(o.err, '\n') == 1);
    CHECK(o.err.find(words) != std::string::npos);
  };
  refused("predict --calibration '" + folder.file("damaged.json") + "'", 1, "damaged.json");
  refused("predict --calibration '" + folder.file("machine.json") + "' --isa scalar --threads 3", 2, "3 threads");
  refused("predict" + machine + "--depth -1", 2, "--depth");
  refused("search" + machine, 2, "--params");
  refused("search" + machine + "--params 100X", 2, "--params");
  refused("search" + machine + "--params 0", 2, "--params");
  refused("search" + machine + "--params 100M --budget speed=1ms", 2, "speed");
  refused("search" + machine + "--params 100M --budget decode=5", 2, "decode");
  refused("search" + machine + "--params 100M --budget memory=5ms", 2, "memory");
  refused("search" + machine + "--params 100M --tolerance 90", 2, "--tolerance");
  refused("search" + machine + "--params 100M --vocab 1", 2, "--vocab");
  refused("search" + machine + "--params 100M --verify x", 2, "--verify");
}

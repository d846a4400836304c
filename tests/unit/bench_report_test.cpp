#include "bench/report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/catch.h"

using bench::Machine;
using bench::PhaseReport;
using bench::Row;
using bench::RunReport;
using bench::Trial;
using mote::Component;
using mote::Operation;
using Json = nlohmann::json;

namespace {

/// A phase of one layer and a head; all times are multiples of `unit`.
mote::PhaseProfile profile(std::int64_t n_tokens, std::int64_t unit) {
  mote::PhaseProfile p;
  p.n_tokens = n_tokens;
  p.steps = {
      {Component::embedding, Operation::embed, -1, 1 * unit, 1 * unit, 100, 0},
      {Component::attention, Operation::norm, 0, 2 * unit, 0, 0, 0},
      {Component::attention, Operation::mul_mat, 0, 20 * unit, 3 * unit, 4000, 8000},
      {Component::attention, Operation::attention, 0, 6 * unit, 1 * unit, 500, 1000},
      {Component::ffn, Operation::norm, 0, 2 * unit, 0, 0, 0},
      {Component::ffn, Operation::mul_mat, 0, 30 * unit, 2 * unit, 6000, 12000},
      {Component::lm_head, Operation::mul_mat, -1, 25 * unit, 1 * unit, 9000, 18000},
  };
  p.steps[3].float_operations = 1000;
  p.wall_ns = 95 * unit;
  return p;
}

/// A byte takes 1 ns, an operation of int8 4 ns, one of floats 10 ns.
constexpr bench::Roofline kRoofline{1e9, 0.25e9, 0.1e9};

PhaseReport report_of(const std::vector<Trial>& trials) { return bench::report_phase(trials, kRoofline); }

/// A decode trial of 4 tokens: 94 units in steps, 5 in sampling, 1 nowhere.
Trial decode_trial(std::int64_t unit) {
  Trial trial;
  trial.wall_ns = 100 * unit;
  trial.sample_ns = 5 * unit;
  trial.profile = profile(4, unit);
  trial.token_ns = {20 * unit, 25 * unit, 25 * unit, 30 * unit};
  return trial;
}

/// A prefill trial of 50 tokens: 94 units in steps, 2 nowhere.
Trial prefill_trial(std::int64_t unit) {
  Trial trial;
  trial.wall_ns = 96 * unit;
  trial.profile = profile(50, unit);
  return trial;
}

const Row* find(const std::vector<Row>& rows, std::string_view name) {
  const auto row = std::ranges::find(rows, name, &Row::name);
  return row != rows.end() ? &*row : nullptr;
}

std::int64_t ns_of(const std::vector<Row>& rows, std::string_view name) {
  const Row* row = find(rows, name);
  REQUIRE(row != nullptr);
  return row->ns;
}

std::int64_t total(const std::vector<Row>& rows) {
  std::int64_t ns = 0;
  for (const Row& row : rows) ns += row.ns;
  return ns;
}

RunReport run_report() {
  RunReport run;
  run.model = "some, \"model\"";
  run.type = "Q4_K_M";
  run.n_parameters = 494'000'000;
  run.threads = 2;
  run.isa = mote::Isa::avx2;
  run.prompt = 50;
  run.generate = 4;
  run.context = 54;
  run.repeat = 3;
  run.seed = 7;
  run.time_to_first_token_ns = {97'000, 96'500, 99'000};
  run.prefill = report_of({prefill_trial(1000), prefill_trial(1200), prefill_trial(900)});
  run.decode = report_of({decode_trial(1000), decode_trial(1100), decode_trial(800)});
  run.memory = {391'900'000, 0, 1'300'000, 7'700'000};
  run.predicted.use = run.memory;
  run.predicted.parameters = {100'000'000, 91'900'000, 150'000'000, 50'000'000, 0};
  run.predicted.packing = 1'900'000;
  run.by_context = {{512, run.predicted}, {2048, run.predicted}};
  run.by_context[1].plan.use.kv_cache = 9'000'000;
  run.process = {407'000'000, 400'000'000, 393'000'000, 7'000'000};
  run.counters_unavailable = "perf_event_open: Permission denied";
  run.energy_source = "RAPL, 1 package";
  run.cold = {450'000'000, 120'000, 31'000};
  run.bytes_per_token = 4000;
  run.roofline = {0.5e9, 2e9, 1e9};
  return run;
}

Machine machine() { return {"Some CPU", 8, 4, {mote::Isa::scalar, mote::Isa::avx2}}; }

double sum_of_shares(const Json& parts) {
  double sum = 0;
  for (const auto& part : parts) sum += part.at("share").get<double>();
  return sum;
}

} // namespace

TEST_CASE("A spread's median is one of the values", "[bench]") {
  CHECK(bench::spread_of({}).median == 0);
  const bench::Spread one = bench::spread_of({5});
  CHECK((one.min == 5 && one.median == 5 && one.max == 5));
  const bench::Spread odd = bench::spread_of({9, 1, 4});
  CHECK((odd.min == 1 && odd.median == 4 && odd.max == 9));
  CHECK(bench::spread_of({9, 1, 4, 6}).median == 4);
}

TEST_CASE("Percentiles are values that so many do not exceed", "[bench]") {
  std::vector<std::int64_t> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  const bench::Percentiles p = bench::percentiles_of(values);
  CHECK(p.p50 == 50);
  CHECK(p.p90 == 90);
  CHECK(p.p99 == 99);
  const bench::Percentiles few = bench::percentiles_of({10, 20});
  CHECK(few.p50 == 10);
  CHECK(few.p90 == 20);
  CHECK(few.p99 == 20);
  CHECK(few.max == 20);
  CHECK(bench::percentiles_of({}).p99 == 0);
}

TEST_CASE("The parts of a phase add up to its wall time, both ways", "[bench]") {
  const PhaseReport decode = report_of({decode_trial(1000)});
  CHECK(decode.wall_ns.median == 100'000);
  CHECK(total(decode.components) + decode.unattributed_ns == 100'000);
  CHECK(total(decode.operations) + decode.unattributed_ns == 100'000);
  CHECK(decode.unattributed_ns == 1'000);
  const PhaseReport prefill = report_of({prefill_trial(1000)});
  CHECK(total(prefill.components) + prefill.unattributed_ns == 96'000);
  CHECK(total(prefill.operations) + prefill.unattributed_ns == 96'000);
  CHECK(prefill.unattributed_ns == 2'000);
}

TEST_CASE("A component owns the waiting at the end of its steps, an operation does not", "[bench]") {
  const PhaseReport r = report_of({decode_trial(1000)});
  CHECK(ns_of(r.components, "embedding") == 2'000);
  CHECK(ns_of(r.components, "attention") == 32'000);
  CHECK(ns_of(r.components, "ffn") == 34'000);
  CHECK(ns_of(r.components, "lm_head") == 26'000);
  CHECK(ns_of(r.components, "other") == 5'000); // sampling
  CHECK(ns_of(r.operations, "mul_mat_vec") == 75'000);
  CHECK(ns_of(r.operations, "attention") == 6'000);
  CHECK(ns_of(r.operations, "norm") == 4'000);
  CHECK(ns_of(r.operations, "embed") == 1'000);
  CHECK(ns_of(r.operations, "sample") == 5'000);
  CHECK(ns_of(r.operations, "barrier_wait") == 8'000);
  CHECK(r.operations.size() == 6);

  CHECK(find(r.components, "attention")->bytes == 4500);
  CHECK(find(r.operations, "mul_mat_vec")->bytes == 19'000);
  CHECK(find(r.operations, "mul_mat_vec")->operations == 38'000);
  CHECK(r.n_tokens == 4);
  CHECK(r.tokens_per_second(r.wall_ns.median) == Approx(40'000));
}

TEST_CASE("Layers add up to the wall time, and so do their operations", "[bench]") {
  const PhaseReport r = report_of({decode_trial(1000)});
  const auto total_of = [](const std::vector<bench::LayerRow>& rows) {
    std::int64_t ns = 0;
    for (const bench::LayerRow& row : rows) ns += row.row.ns;
    return ns;
  };
  CHECK(total_of(r.layers) + r.unattributed_ns == 100'000);
  CHECK(total_of(r.layer_operations) + r.unattributed_ns == 100'000);
  REQUIRE(r.layers.size() == 2);
  CHECK((r.layers[0].layer == -1 && r.layers[0].row.ns == 33'000 && r.layers[0].row.bytes == 9100));
  CHECK((r.layers[1].layer == 0 && r.layers[1].row.ns == 66'000 && r.layers[1].row.bytes == 10'500));
  const auto row = std::ranges::find_if(r.layer_operations, [](const bench::LayerRow& row) {
    return row.layer == 0 && row.component == "attention" && row.row.name == "barrier_wait";
  });
  REQUIRE(row != r.layer_operations.end());
  CHECK(row->row.ns == 4'000);
}

TEST_CASE("A row's part of the roofline is the least time of its steps by its time", "[bench]") {
  const PhaseReport r = report_of({decode_trial(1000)});
  // of a step the longer of reading and computing
  CHECK(find(r.operations, "embed")->roofline_share() == Approx(100 / 1000.0));
  CHECK(find(r.operations, "attention")->roofline_share() == Approx(1000 * 10 / 6000.0));
  CHECK(find(r.operations, "mul_mat_vec")->roofline_share() == Approx(38'000 * 4 / 75'000.0));
  CHECK(find(r.components, "attention")->roofline_share() == Approx((8000 * 4 + 1000 * 10) / 32'000.0));
  CHECK(find(r.operations, "norm")->roofline_share() == 0); // nothing to read or multiply
  CHECK(find(r.operations, "mul_mat_vec")->bytes_per_second() == Approx(19'000 / 75e-6));
  CHECK(find(r.operations, "mul_mat_vec")->operations_per_second() == Approx(38'000 / 75e-6));

  const Trial trial = decode_trial(1000);
  const PhaseReport unknown = bench::report_phase(std::vector{trial}, {1e9, 0, 0});
  CHECK(find(unknown.operations, "mul_mat_vec")->roofline_share() == 0);
  CHECK(find(unknown.operations, "embed")->roofline_share() == Approx(0.1));
}

TEST_CASE("Matrices come first, waiting last, the rest by time", "[bench]") {
  const PhaseReport r = report_of({decode_trial(1000)});
  std::vector<std::string> names;
  for (const Row& row : r.operations) names.push_back(row.name);
  CHECK(names == std::vector<std::string>{"mul_mat_vec", "attention", "sample", "norm", "embed", "barrier_wait"});
  names.clear();
  for (const Row& row : r.components) names.push_back(row.name);
  CHECK(names == std::vector<std::string>{"embedding", "attention", "ffn", "lm_head", "other"});
}

TEST_CASE("Matrices are called by the kernel that computes them", "[bench]") {
  CHECK(report_of({prefill_trial(1000)}).operations.front().name == "mul_mat");
  CHECK(report_of({decode_trial(1000)}).operations.front().name == "mul_mat_vec");
  Trial one_token = prefill_trial(1000);
  one_token.profile = profile(1, 1000);
  CHECK(report_of({one_token}).operations.front().name == "mul_mat_vec");
}

TEST_CASE("The breakdown is that of the trial in the middle, token times are those of all", "[bench]") {
  const PhaseReport r = report_of({decode_trial(3000), decode_trial(1000), decode_trial(2000)});
  CHECK(r.wall_ns.median == 200'000);
  CHECK(r.wall_ns.min == 100'000);
  CHECK(r.wall_ns.max == 300'000);
  CHECK(ns_of(r.components, "ffn") == 68'000);
  CHECK(r.token_ns.p50 == 50'000);
  CHECK(r.token_ns.p99 == 90'000);
}

TEST_CASE("The JSON report has the promised shape, and its shares add up to 1", "[bench]") {
  const std::vector<RunReport> runs = {run_report(), run_report()};
  const Json report = Json::parse(bench::json_of(machine(), runs));
  CHECK(report.at("mote").get<std::string>() == bench::mote_version());
  CHECK(report.at("machine").at("cpu") == "Some CPU");
  CHECK(report.at("machine").at("isas") == Json({"scalar", "avx2"}));
  REQUIRE(report.at("runs").size() == 2);
  const Json& run = report.at("runs").at(0);
  CHECK(run.at("model") == "some, \"model\"");
  CHECK(run.at("type") == "Q4_K_M");
  CHECK(run.at("threads") == 2);
  CHECK(run.at("isa") == "avx2");
  CHECK(run.at("prompt") == 50);
  CHECK(run.at("generate") == 4);
  CHECK(run.at("seed") == 7);
  CHECK(run.at("time_to_first_token_ns").at("median") == 97'000);
  for (const char* name : {"prefill", "decode"}) {
    const Json& phase = run.at("phases").at(name);
    CHECK(phase.at("tokens_per_second").get<double>() > 0);
    CHECK(phase.at("wall_ns").at("min") < phase.at("wall_ns").at("median"));
    CHECK(phase.at("wall_ns").at("median") < phase.at("wall_ns").at("max"));
    std::set<std::string> components;
    for (const auto& item : phase.at("components").items()) components.insert(item.key());
    CHECK(components == std::set<std::string>{"embedding", "attention", "ffn", "lm_head", "other"});
    const double unattributed = phase.at("unattributed_share").get<double>();
    CHECK(sum_of_shares(phase.at("components")) + unattributed == Approx(1).epsilon(1e-12));
    CHECK(sum_of_shares(phase.at("operations")) + unattributed == Approx(1).epsilon(1e-12));
    CHECK(sum_of_shares(phase.at("layers")) + unattributed == Approx(1).epsilon(1e-12));
    CHECK(sum_of_shares(phase.at("layer_operations")) + unattributed == Approx(1).epsilon(1e-12));
    CHECK(phase.at("layers").at(0).at("layer") == -1);
    for (const char* key : {"layer", "component", "operation", "ns", "share", "bytes", "operations", "bytes_per_second",
                            "operations_per_second", "roofline_share"})
      CHECK(phase.at("layer_operations").at(0).contains(key));
    CHECK(phase.at("components").at("ffn").at("bytes_per_second").get<double>() == Approx(6000 / 34e-6));
    CHECK(phase.at("components").at("ffn").at("roofline_share").get<double>() == Approx(48'000 / 34'000.0));
    CHECK(phase.at("components").at("ffn").at("ns") == 34'000);
    CHECK(phase.at("operations").at("barrier_wait").at("ns") == 8'000);
  }
  const Json& decode = run.at("phases").at("decode");
  CHECK(decode.at("tokens_per_second").get<double>() == Approx(40'000));
  CHECK(decode.at("components").at("other").at("share").get<double>() == Approx(0.05));
  CHECK(decode.at("token_ns").at("p90") == 30'000);
  CHECK(decode.at("token_ns").at("max") == 33'000);
  CHECK(run.at("cold") == Json({{"open_ns", 450'000'000}, {"time_to_first_token_ns", 120'000}, {"first_token_ns", 31'000}}));
  CHECK(run.at("roofline").at("int8_operations_per_second").get<double>() == 2e9);
  CHECK(decode.at("read_bandwidth_share").get<double>() == Approx(4000 * 40'000 / 0.5e9));
  const Json& memory = run.at("memory");
  CHECK(memory.at("parameters") == 391'900'000);
  CHECK(memory.at("kv_cache") == 1'300'000);
  CHECK(memory.at("compute") == 7'700'000);
  CHECK(memory.at("process_peak") == 407'000'000);
  CHECK(memory.at("resident") == 400'000'000);
  CHECK(memory.at("anonymous") == 393'000'000);
  CHECK(memory.at("mapped") == 7'000'000);
  const Json& predicted = memory.at("predicted");
  CHECK(predicted.at("parameters").at("attention") == 91'900'000);
  CHECK(predicted.at("total") == 391'900'000 + 1'300'000 + 7'700'000);
  CHECK(predicted.at("packing") == 1'900'000);
  REQUIRE(memory.at("by_context").size() == 2);
  CHECK(memory.at("by_context").at(1) ==
        Json({{"context", 2048}, {"kv_cache", 9'000'000}, {"state", 0}, {"compute", 7'700'000}, {"total", 408'600'000}}));
}

TEST_CASE("Counters and energy are in the report, or why they are not", "[bench]") {
  RunReport run = run_report();
  run.decode.usage = {{3'000'000, 6'000'000, 12'000}, 0.6};
  const auto decode_of = [](const RunReport& r) {
    return Json::parse(bench::json_of(machine(), std::vector{r})).at("runs").at(0).at("phases").at("decode");
  };
  CHECK(decode_of(run).at("counters") == Json({{"unavailable", "perf_event_open: Permission denied"}}));
  const Json energy = decode_of(run).at("energy");
  CHECK(energy.at("joules").get<double>() == Approx(0.6));
  CHECK(energy.at("joules_per_token").get<double>() == Approx(0.6 / (3 * 4))); // of three trials with 4 tokens
  CHECK(energy.at("source") == "RAPL, 1 package");
  std::string table = bench::table_of(run);
  CHECK(table.find("not available: perf_event_open: Permission denied") != std::string::npos);
  CHECK(table.find("decode 50.00 mJ a token; RAPL, 1 package") != std::string::npos);

  run.counters_unavailable = "";
  run.energy_unavailable = "no RAPL here";
  CHECK(decode_of(run).at("counters") == Json({{"cycles", 3'000'000}, {"instructions", 6'000'000}, {"cache_misses", 12'000}}));
  CHECK(decode_of(run).at("energy") == Json({{"unavailable", "no RAPL here"}}));
  table = bench::table_of(run);
  CHECK(table.find("decode 1.0 M cycles, 2.00 instructions a cycle, 0.0 M cache misses") != std::string::npos);
  CHECK(table.find("not available: no RAPL here") != std::string::npos);
}

TEST_CASE("What was measured beside the runs is in the report", "[bench]") {
  RunReport run = run_report();
  const auto run_of = [](const RunReport& r) { return Json::parse(bench::json_of(machine(), std::vector{r})).at("runs").at(0); };
  CHECK_FALSE(run_of(run).contains("overhead"));
  CHECK_FALSE(run_of(run).contains("sustain"));
  run.overhead = {2'000'000, 2'010'000, 0.005, -0.001, 0.008, 700};
  run.sustained = {60, {}};
  for (int i = 1; i <= 60; ++i) run.sustained->points.push_back({i * 1'000'000'000LL, 400.0 - i, {i > 30 ? 3.5e9 : 0, 0}});
  const Json json = run_of(run);
  CHECK(json.at("overhead").at("share").get<double>() == 0.005);
  CHECK(json.at("overhead").at("on_ns") == 2'010'000);
  CHECK(json.at("sustain").at("seconds") == 60);
  REQUIRE(json.at("sustain").at("points").size() == 60);
  CHECK(json.at("sustain").at("points").at(0) == Json({{"at_ns", 1'000'000'000}, {"tokens_per_second", 399.0}}));
  CHECK(json.at("sustain").at("points").at(59).at("core_hz").get<double>() == 3.5e9);
  const std::string table = bench::table_of(run);
  CHECK(table.find("2.0100 ms a token with the profiler, 2.0000 without: +0.50%  (-0.10 .. +0.80") != std::string::npos);
  CHECK(table.find("    1 s    399.0 tokens/s\n") != std::string::npos);
  CHECK(table.find("   56 s    344.0 tokens/s  3.50 GHz\n") != std::string::npos);
  CHECK(bench::csv_of(std::vector{run}).find("decode,sustain,point,60000000000,,,,340.000,,,") != std::string::npos);
}

TEST_CASE("A model's path need not be UTF-8 for the report to be JSON", "[bench]") {
  RunReport run = run_report();
  run.model = "caf\xe9.gguf";
  CHECK(Json::parse(bench::json_of(machine(), std::vector{run})).at("runs").size() == 1);
}

TEST_CASE("The CSV report has a line for each run, phase, kind and name", "[bench]") {
  std::istringstream text(bench::csv_of(std::vector{run_report(), run_report()}));
  std::string line;
  REQUIRE(std::getline(text, line));
  CHECK(line ==
        "model,type,threads,isa,prompt,generate,context,repeat,seed,phase,kind,name,ns,share,bytes,operations,tokens_per_second,"
        "bytes_per_second,operations_per_second,roofline_share");
  const std::string head = "\"some, \"\"model\"\"\",Q4_K_M,2,avx2,50,4,54,3,7,";
  std::multiset<std::string> lines;
  while (std::getline(text, line)) {
    REQUIRE(line.starts_with(head));
    line.erase(0, head.size());
    CHECK(std::ranges::count(line, ',') == 10);
    lines.insert(line);
  }
  CHECK(lines.count("decode,component,ffn,34000,0.340000,6000,12000,,176470588,352941176,1.411765") == 2);
  CHECK(lines.count("decode,operation,mul_mat_vec,75000,0.750000,19000,38000,,253333333,506666667,2.026667") == 2);
  CHECK(lines.count("decode,operation,barrier_wait,8000,0.080000,0,0,,0,0,0.000000") == 2);
  CHECK(lines.count("prefill,unattributed,unattributed,2000,0.020833,,,,,,") == 2);
  CHECK(lines.count("decode,wall,median,100000,,,,40000.000,,,") == 2);
  CHECK(lines.count("decode,token,p99,33000,,,,,,,") == 2);
  CHECK(lines.count(",memory,kv_cache,,,1300000,,,,,") == 2);
  CHECK(lines.count("decode,layer,0,66000,0.660000,10500,21000,,159090909,318181818,1.363636") == 2);
  CHECK(lines.count("decode,layer_operation,0.ffn.barrier_wait,2000,0.020000,0,0,,0,0,0.000000") == 2);
  CHECK(lines.count(",predicted,parameters.ffn,,,150000000,,,,,") == 2);
  CHECK(lines.count(",by_context,2048.kv_cache,,,9000000,,,,,") == 2);
  CHECK(lines.count(",roofline,read,,,,,,500000000,,") == 2);
  CHECK(lines.count(",cold,open,450000000,,,,,,,") == 2);
}

TEST_CASE("The table shows both phases by component and by operation", "[bench]") {
  const std::string text = bench::table_head(machine()) + bench::table_of(run_report());
  for (const char* expected : {"Some CPU",
                               "8 processors",
                               "scalar, avx2",
                               "some, \"model\"",
                               "Q4_K_M",
                               "494.0 M parameters",
                               "2 threads",
                               "prompt 50",
                               "generate 4",
                               "time to first token",
                               "embedding",
                               "attention",
                               "ffn",
                               "lm_head",
                               "other",
                               "unattributed",
                               "mul_mat / mul_mat_vec",
                               "barrier_wait",
                               "sample",
                               "KV cache 1.3 MB",
                               "compute buffer 7.7 MB",
                               "400.0 MB resident: 393.0 MB anonymous, 7.0 MB mapped; peak 407.0 MB",
                               "tokenizer none"})
    CHECK(text.find(expected) != std::string::npos);
  CHECK(text.find("40000.0 tokens/s  (36363.6 .. 50000.0)") != std::string::npos);
  CHECK(text.find("0.2 GB/s, 32% of the 0.5 GB/s that 2 threads can read") != std::string::npos);
  CHECK(text.find("opened in 450 ms") != std::string::npos);
  CHECK(text.find("int8 1.0 and fp32 0.5 GMAC/s by 2 threads") != std::string::npos);
  CHECK(std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) > 126; }));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK((line.empty() || (line.back() != ' ' && line.size() <= 130)));
}

TEST_CASE("The Markdown report has a table for each phase and kind of part", "[bench]") {
  RunReport run = run_report();
  run.model = "a|b";
  const std::string text = bench::markdown_of(machine(), std::vector{run});
  for (const char* expected : {"Some CPU", "## a\\|b Q4_K_M", "### Prefill, 50 tokens", "### Decode, 4 tokens",
                               "| ffn | 0.009 | 34.0% | 0.2 | 0.2 | 141% |", "| unattributed | 0.000 | 1.0% | - | - | - |",
                               "| mul_mat | ", "| mul_mat_vec | ", "| cold | opened in 450 ms"})
    CHECK(text.find(expected) != std::string::npos);
}

TEST_CASE("The verbose table has a row for each place in a layer, and counts barriers", "[bench]") {
  using mote::Component, mote::Operation;
  Trial trial = decode_trial(1000);
  trial.profile.steps.clear();
  for (int layer = 0; layer < 3; ++layer) {
    trial.profile.steps.push_back({Component::attention, Operation::norm, layer, 1000, 0, 0, 0, 0});
    for (int i = 0; i < 2; ++i)
      trial.profile.steps.push_back({Component::attention, Operation::mul_mat, layer, 2000 + 1000 * i, 10, 0, 0, 4});
  }
  trial.profile.steps.push_back({Component::lm_head, Operation::mul_mat, -1, 7000, 70, 0, 0, 4});
  RunReport run = run_report();
  run.decode = report_of({trial});
  CHECK(run.decode.barriers_per_layer == 2);
  REQUIRE(run.decode.steps.size() == 4);
  CHECK((run.decode.steps[0].name == "attention.norm" && run.decode.steps[0].n_barriers == 0));
  CHECK((run.decode.steps[1].name == "attention.mul_mat" && run.decode.steps[1].work_ns == 6000));
  CHECK((run.decode.steps[2].work_ns == 9000 && run.decode.steps[2].wait_ns == 30 && run.decode.steps[2].n_barriers == 12));
  CHECK((run.decode.steps[3].name == "lm_head.mul_mat" && !run.decode.steps[3].in_layers));
  CHECK(bench::detail_table_of(run).find("2 in decode") != std::string::npos);
}

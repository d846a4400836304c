#include "bench/comparison.h"

#include <algorithm>

#include "tests/catch.h"
#include "tests/temp_dir.h"
#include "tests/unit/bench_program.h"

using bench::Comparison;
using bench::SavedReport;
using Json = nlohmann::ordered_json;

namespace {

Json spread(double median, double min, double max) { return {{"median", median}, {"min", min}, {"max", max}}; }

/// Prefill takes 80 ms, or between 78 and 83; decode of 10 tokens 100 ms, or between 99 and 104; everything times `factor`.
Json run(const std::string& model, double factor = 1, int threads = 2) {
  const double ms = 1e6 * factor;
  const Json prefill = {{"n_tokens", 50},
                        {"wall_ns", spread(80 * ms, 78 * ms, 83 * ms)},
                        {"components", {{"attention", {{"ns", 30 * ms}}}, {"ffn", {{"ns", 49 * ms}}}, {"other", {{"ns", 0}}}}},
                        {"operations", {{"mul_mat", {{"ns", 75 * ms}}}, {"norm", {{"ns", 1 * ms}}}}}};
  const Json decode = {{"n_tokens", 10},
                       {"wall_ns", spread(100 * ms, 99 * ms, 104 * ms)},
                       {"token_ns", {{"p50", 9.9 * ms}, {"p90", 11 * ms}, {"p99", 12 * ms}}},
                       {"components", {{"ffn", {{"ns", 60 * ms}}}}},
                       {"operations", {{"mul_mat_vec", {{"ns", 90 * ms}}}}}};
  return {{"model", model},
          {"type", "Q4_K_M"},
          {"threads", threads},
          {"isa", "avx2"},
          {"prompt", 50},
          {"generate", 10},
          {"time_to_first_token_ns", spread(81 * ms, 79 * ms, 84 * ms)},
          {"phases", {{"prefill", prefill}, {"decode", decode}}},
          {"memory", {{"parameters", 100'000'000}, {"process_peak", 120'000'000}}}};
}

SavedReport report(const std::string& name, std::vector<Json> runs) {
  Json json = {{"machine", {{"cpu", "CPU of " + name}}}, {"runs", std::move(runs)}};
  return {name, json.dump(), std::move(json)};
}

const bench::ComparedRow& row(const bench::ComparedRun& run, std::string_view phase, std::string_view kind,
                              std::string_view name) {
  const auto found =
      std::ranges::find_if(run.rows, [&](const auto& r) { return r.phase == phase && r.kind == kind && r.name == name; });
  REQUIRE(found != run.rows.end());
  return *found;
}

} // namespace

TEST_CASE("Measurements that reach into each other differ by no more than noise", "[bench]") {
  CHECK(bench::within_noise({10, 9, 11}, {12, 11, 13}));
  CHECK(bench::within_noise({12, 11, 13}, {10, 9, 11}));
  CHECK(bench::within_noise({10, 5, 20}, {12, 11, 13}));
  CHECK_FALSE(bench::within_noise({10, 9, 11}, {13, 11.5, 14}));
  CHECK_FALSE(bench::within_noise({13, 11.5, 14}, {10, 9, 11}));
  CHECK(bench::change({10, 9, 11}, {12, 11, 13}) == Approx(0.2));
  CHECK(bench::change({10, 9, 11}, {5, 4, 6}) == Approx(-0.5));
}

TEST_CASE("Runs are matched by what was measured, and the rest is listed", "[bench]") {
  const std::vector reports = {report("a", {run("m"), run("/models/x.gguf"), run("only a")}),
                               report("b", {run("C/x.gguf", 2), run("m", 1.5), run("m", 1, 4)})};
  const Comparison c = bench::compare(reports, {});
  REQUIRE(c.matched.size() == 2);
  CHECK(c.matched[0].name == "m  Q4_K_M  2 threads  avx2  prompt 50  generate 10");
  CHECK(c.matched[1].name == "x.gguf  Q4_K_M  2 threads  avx2  prompt 50  generate 10");
  REQUIRE(c.unmatched.size() == 2);
  CHECK((c.unmatched[0].base == 0 && c.unmatched[0].name.starts_with("only a")));
  CHECK((c.unmatched[1].base == 1 && c.unmatched[1].name.starts_with("m  Q4_K_M  4 threads")));
  CHECK(c.unmatched[0].rows.empty());

  const std::vector<std::string> ignored = {"threads", "model"};
  const Comparison loose = bench::compare(reports, ignored);
  CHECK(loose.matched.size() == 3); // the n-th of one report with the n-th of the other
  CHECK(loose.matched[0].name == "Q4_K_M  avx2  prompt 50  generate 10");
}

TEST_CASE("Times are compared for a token, and parts vary as much as their phase", "[bench]") {
  const std::vector reports = {report("a", {run("m")}), report("b", {run("m", 1.5)}), report("c", {run("m", 1.01)})};
  const Comparison c = bench::compare(reports, {});
  REQUIRE(c.matched.size() == 1);
  const bench::ComparedRun& m = c.matched[0];
  const auto& prefill = row(m, "prefill", "time", "prefill").values;
  CHECK((prefill[0]->median == 80e6 && prefill[0]->min == 78e6 && prefill[0]->max == 83e6));
  CHECK(prefill[1]->median == Approx(120e6));
  CHECK_FALSE(bench::within_noise(*prefill[0], *prefill[1]));
  CHECK(bench::within_noise(*prefill[0], *prefill[2]));
  const auto& decode = row(m, "decode", "time", "decode, per token").values;
  CHECK(decode[0]->median == Approx(10e6));
  CHECK(decode[0]->max == Approx(10.4e6));
  const auto& ffn = row(m, "decode", "component", "ffn").values;
  CHECK(ffn[0]->median == Approx(6e6));
  CHECK(ffn[0]->min == Approx(5.9e6));
  CHECK(ffn[0]->max == Approx(6.4e6));
  const auto& norm = row(m, "prefill", "operation", "norm").values;
  CHECK((norm[0]->median == 1e6 && norm[0]->min == 0 && norm[0]->max == Approx(4e6)));
  CHECK(row(m, "decode", "token", "p90").values[0]->median == Approx(11e6));
  CHECK(row(m, "", "memory", "process_peak").values[1]->median == 120e6);
  CHECK(std::ranges::none_of(m.rows, [](const auto& r) { return r.name == "other" || r.name == "kv_cache"; }));
}

TEST_CASE("What one report lacks is left open", "[bench]") {
  Json lacking = run("m");
  lacking["phases"]["prefill"]["components"].erase("ffn");
  lacking["phases"].erase("decode");
  lacking["memory"] = "none";
  const std::vector reports = {report("a", {lacking}), report("b", {run("m")})};
  const Comparison c = bench::compare(reports, {});
  REQUIRE(c.matched.size() == 1);
  const auto& ffn = row(c.matched[0], "prefill", "component", "ffn");
  CHECK_FALSE(ffn.values[0]);
  CHECK(ffn.values[1]->median == 49e6);
  CHECK(&ffn == &row(c.matched[0], "prefill", "component", "attention") + 1); // with its like
  CHECK_FALSE(row(c.matched[0], "decode", "component", "ffn").values[0]);
  CHECK(Json::parse(bench::comparison_json(c))["matched"][0]["rows"].size() == c.matched[0].rows.size());
}

TEST_CASE("A comparison is written as a table, as Markdown and as JSON", "[bench]") {
  const std::vector reports = {report("a.json", {run("m"), run("x|y")}), report("b.json", {run("m", 1.5)})};
  const Comparison c = bench::compare(reports, {});
  const std::string table = bench::comparison_table(c);
  for (const char* expected :
       {"a.json: CPU of a.json", "m  Q4_K_M  2 threads", "prefill by component", "80.00 (78.00 .. 83.00)", "+50.0%",
        "within noise", "100.0                         100.0                         same", "only in a.json: x|y  Q4_K_M"})
    CHECK(table.find(expected) != std::string::npos);
  CHECK(bench::comparison_markdown(c).find("| decode | component | ffn | 6.000 | 9.000 | +50.0% |\n") != std::string::npos);
  const Json json = Json::parse(bench::comparison_json(c));
  CHECK(json["reports"][1]["name"] == "b.json");
  CHECK(json["unmatched"][0]["report"] == 0);
  const Json& first = json["matched"][0]["rows"][0];
  CHECK(first["name"] == "time to first token");
  CHECK(first["values"][0]["max"] == 84e6);
  CHECK(first["changes"][0].is_null());
  CHECK(first["changes"][1]["change"].get<double>() == Approx(0.5));
  CHECK(first["changes"][1]["within_noise"] == false);
}

TEST_CASE("Nothing in a report is too deep, or of a wrong kind", "[bench]") {
  const mote::test::TempDir folder;
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string& odd : {deep, std::string("{}"), std::string("null"), std::string("\"x\""), std::string("-1e300")}) {
    const std::string phase = "{\"n_tokens\": " + odd + ", \"wall_ns\": " + odd + ", \"components\": " + odd + "}";
    const std::string path = folder.write(
        "x.json", "{\"machine\": " + odd + ", \"runs\": [{\"model\": \"m\", \"threads\": " + odd + ", \"memory\": " + odd +
                      ", \"phases\": {\"prefill\": " + odd + ", \"decode\": " + phase + "}}]}");
    std::vector<SavedReport> reports;
    for (int i = 0; i < 2; ++i) {
      auto read = bench::read_report(path);
      REQUIRE(read);
      reports.push_back(*std::move(read));
    }
    const Comparison c = bench::compare(reports, {});
    CHECK((c.matched.size() == 1 && c.matched[0].rows.empty()));
    CHECK(Json::parse(bench::comparison_json(c))["matched"].size() == 1);
    CHECK(bench::comparison_table(c).find("a machine without a name") != std::string::npos);
  }
}

TEST_CASE("A file that is no report is refused", "[bench]") {
  const mote::test::TempDir folder;
  const auto refused = [&](const std::string& text) {
    const auto read = bench::read_report(folder.write("x.json", text));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == mote::ErrorCode::bad_file);
    CHECK(read.error().message.starts_with(folder.file("x.json") + ": "));
    return read.error().message;
  };
  CHECK(refused("").find("JSON") != std::string::npos);
  CHECK(refused("{\"runs\": [").find("JSON") != std::string::npos);
  CHECK(refused("[1]").find("\"runs\"") != std::string::npos);
  CHECK(refused("{\"runs\": {}}").find("\"runs\"") != std::string::npos);
  CHECK(refused("{\"runs\": [{\"model\": \"m\", \"phases\": {}}, 3]}").find("run 1") != std::string::npos);
  CHECK(refused("{\"runs\": [{\"model\": 3, \"phases\": {}}]}").find("run 0") != std::string::npos);
  for (const std::string& path : {folder.file("absent.json"), folder.path()}) {
    const auto read = bench::read_report(path);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == mote::ErrorCode::io);
  }
}

TEST_CASE("bench_report compares files, and makes a page of one", "[bench]") {
  const BenchProgram program("bench_report");
  if (!program.exists()) return;
  const mote::test::TempDir folder;
  const std::string a = folder.write("a.json", report("", {run("m")}).json.dump());
  const std::string b = folder.write("b.json", report("", {run("m", 2)}).json.dump());
  const std::string both = "'" + a + "' '" + b + "' ", page = "--html '" + folder.file("page.html") + "' ";
  const Outcome table = program.run(both + page);
  CHECK(table.status == 0);
  CHECK(table.err.empty());
  CHECK(table.out.find("+100.0%") != std::string::npos);
  CHECK(folder.read("page.html").find("data-kind=\"comparison\"") != std::string::npos);
  const Outcome one = program.run("'" + a + "' " + page);
  CHECK((one.status == 0 && one.out.empty()));
  CHECK(folder.read("page.html").find("data-kind=\"report\"") != std::string::npos);
  CHECK(Json::parse(program.run(both + "--format json").out)["matched"].size() == 1);
  CHECK(program.run(both + "--ignore threads,isa --out '" + folder.file("x.md") + "' --format markdown").out.empty());
  CHECK(folder.read("x.md").find("## m  Q4_K_M  prompt 50") != std::string::npos);
}

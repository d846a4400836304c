// bench_breakdown itself, as a user runs it.
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/unit/bench_program.h"

namespace {

using Json = nlohmann::json;

const BenchProgram kProgram("bench_breakdown");

bool program_exists() { return kProgram.exists(); }
std::string program() { return kProgram.path; }
Outcome run(const std::string& arguments) { return kProgram.run(arguments); }

const std::string kSmall =
    "--shape layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=300,ctx=64 --prompt 20 --generate 10 --repeat 2 --type Q8_0 ";

} // namespace

TEST_CASE("bench_breakdown measures every combination", "[bench]") {
  if (!program_exists()) return;
  const Outcome o = run(kSmall + "--type Q4_K_M --threads 1,2 --isa scalar --prompt 1 --format json");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(o.err.empty()); // no progress line where there is no terminal
  const Json report = Json::parse(o.out);
  REQUIRE(report.at("runs").size() == 2 * 2 * 2);
  for (const Json& run : report.at("runs")) {
    CHECK(run.at("isa") == "scalar");
    CHECK(run.at("memory").at("parameters").get<std::int64_t>() > 0);
    CHECK(run.at("memory").at("kv_cache").get<std::int64_t>() > 0);
    CHECK(run.at("memory").at("compute").get<std::int64_t>() > 0);
    CHECK(run.at("memory").at("process_peak").get<std::int64_t>() > run.at("memory").at("parameters").get<std::int64_t>());
    for (const char* name : {"prefill", "decode"}) {
      const Json& phase = run.at("phases").at(name);
      CHECK(phase.at("n_tokens") == run.at(name == std::string("decode") ? "generate" : "prompt"));
      const bool single_tokens = phase.at("n_tokens") == 1 || name == std::string("decode");
      CHECK(phase.at("operations").at(single_tokens ? "mul_mat_vec" : "mul_mat").at("ns") > 0);
      for (const char* parts : {"components", "operations"}) {
        double sum = phase.at("unattributed_share").get<double>();
        CHECK(sum >= 0);
        for (const Json& part : phase.at(parts)) sum += part.at("share").get<double>();
        CHECK(sum == Approx(1).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("bench_breakdown writes tables and CSV", "[bench]") {
  if (!program_exists()) return;
  const Outcome table = run(kSmall + "--threads 1");
  REQUIRE(table.status == 0);
  CHECK(table.out.find("tokens/s") != std::string::npos);
  CHECK(table.out.find("mul_mat / mul_mat_vec") != std::string::npos);

  const mote::test::TempDir folder;
  const Outcome csv = run(kSmall + "--threads 1 --format csv --out '" + folder.file("x.csv") + "'");
  REQUIRE(csv.status == 0);
  CHECK(csv.out.empty());
  CHECK(folder.read("x.csv").starts_with("model,type,"));
  CHECK(folder.read("x.csv").find("decode,operation,mul_mat_vec,") != std::string::npos);
  CHECK(folder.count() == 1);
}

TEST_CASE("bench_breakdown writes a page beside its report", "[bench]") {
  if (!program_exists()) return;
  const mote::test::TempDir folder;
  const Outcome o = run(kSmall + "--threads 1 --html '" + folder.file("x.html") + "'");
  REQUIRE(o.status == 0);
  CHECK(o.out.find("tokens/s") != std::string::npos);
  CHECK(folder.read("x.html").starts_with("<!DOCTYPE html>"));
  CHECK(folder.read("x.html").find("\"wall_ns\"") != std::string::npos);
  CHECK(folder.count() == 1);
}

TEST_CASE("bench_breakdown traces, reads power and goes on for long", "[bench]") {
  if (!program_exists()) return;
  const mote::test::TempDir folder;
  const std::string trace = folder.file("trace.json"), power = folder.write("power", "2000000");
  const Outcome o = run(kSmall + "--threads 2 --format json --sustain 1 --trace '" + trace + "' --power-file 'uW:" + power + "'");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(o.err.empty());
  const Json report = Json::parse(o.out).at("runs").at(0);
  CHECK(report.at("phases").at("decode").at("energy").at("source") == power);
  CHECK(report.at("sustain").at("points").size() >= 1);
  for (const Json& point : report.at("sustain").at("points")) CHECK(point.at("tokens_per_second").get<double>() > 0);
  int n_prompts = 0, n_tokens = 0, n_steps = 0;
  const Json written = Json::parse(folder.read("trace.json"));
  for (const Json& event : written.at("traceEvents")) {
    n_prompts += event.at("name") == "prompt";
    n_tokens += event.at("ph") == "X" && event.at("name").get<std::string>().starts_with("token ");
    n_steps += event.at("name") == "lm_head.mul_mat";
  }
  CHECK(n_prompts == 1);
  CHECK(n_tokens == 10);
  CHECK(n_steps == 2 * 11); // a thread each, in the prompt and for each token
}

TEST_CASE("bench_breakdown saves a model that it can open", "[bench]") {
  if (!program_exists()) return;
  const mote::test::TempDir folder;
  const std::string file = "'" + folder.file("x.gguf") + "'";
  const Outcome saved = run("--shape layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=300,ctx=64 --save " + file);
  CHECK(saved.err + saved.out == "");
  REQUIRE(saved.status == 0);
  CHECK(run("--model " + file + " --prompt 20 --generate 10 --repeat 1 --threads 1").status == 0);
}

TEST_CASE("bench_breakdown says in one line what is wrong", "[bench]") {
  if (!program_exists()) return;
  const mote::test::TempDir folder;
  const std::string text = folder.write("text.gguf", "This is no model.\n"), short_file = folder.write("short.gguf", "GGUF\3");
  struct Case {
    std::string arguments;
    int status;
  };
  const Case cases[] = {
      {"--threads 0", 2},
      {"--preset no-such-model", 2},
      {"--context 9999999", 2},
      {"--prompt 200000", 2},
      {"--no-such-option", 2},
      {"--model '" + folder.file("absent.gguf") + "'", 1},
      {"--model '" + text + "'", 1},
      {"--model '" + short_file + "'", 1},
      {"--model '" + folder.path() + "'", 1},
      {kSmall + "--out '" + folder.file("no/folder/x") + "'", 1},
      {kSmall + "--html '" + folder.file("no/folder/x") + "'", 1},
  };
  for (const Case& c : cases) {
    const Outcome o = run(c.arguments);
    INFO(c.arguments << ": " << o.err);
    CHECK(o.status == c.status);
    CHECK(o.out.empty());
    CHECK(o.err.starts_with("bench_breakdown: "));
    CHECK(std::count(o.err.begin(), o.err.end(), '\n') == 1);
    CHECK(o.err.back() == '\n');
  }
  const std::string full_disk = "'" + program() + "' --list-presets > /dev/full 2> /dev/null";
  if (std::filesystem::exists("/dev/full")) CHECK(WEXITSTATUS(std::system(full_disk.c_str())) == 1);
}

TEST_CASE("bench_breakdown lists its presets and its options", "[bench]") {
  if (!program_exists()) return;
  const Outcome presets = run("--list-presets");
  CHECK(presets.status == 0);
  CHECK(presets.out.find("qwen2-0.5b") != std::string::npos);
  CHECK(presets.out.find("494.0 M") != std::string::npos);
  const Outcome help = run("--help");
  CHECK(help.status == 0);
  CHECK(help.out.find("--preset") != std::string::npos);
}

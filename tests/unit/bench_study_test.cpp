#include "bench/study.h"

#include <filesystem>
#include <fstream>

#include "tests/catch.h"
#include "tests/unit/bench_program.h"

using namespace bench;

namespace {

Options options_of_study() {
  Options options;
  options.threads = {2};
  options.isas = {mote::Isa::scalar};
  return options;
}

} // namespace

TEST_CASE("a study as Markdown", "[bench]") {
  Study study = new_study("Title", options_of_study(), {"What was done."});
  add_finding(study, "It is so.", "It is.", true);
  add_finding(study, "It is not so.", "It is.", false);
  add_finding(study, "Who knows?", "Nobody.", std::nullopt);
  add_table(study, "Things", {"name", "n", "x"}, {{"a|b", 12345, 0.125}, {"c", 7, 98.7654}, {"d", nullptr, 1234.5}, {"why not"}});
  const std::string text = markdown_of_study(study);
  CHECK(text.starts_with("# Title\n\nmote "));
  CHECK(text.find(" processors, 2 threads, scalar.\n\nWhat was done.\n") != std::string::npos);
  CHECK(text.find("| It is so. | It is. | agrees |\n| It is not so. | It is. | disagrees |\n| Who knows? | Nobody. | open |\n") !=
        std::string::npos);
  CHECK(text.find("## Things\n\n| name | n | x |\n|---|---:|---:|\n| a\\|b | 12345 | 0.125 |\n| c | 7 | 98.8 |\n| d |  | 1234 |\n"
                  "| why not |\n") != std::string::npos);
}

TEST_CASE("numbers of a study are rounded as they are shown", "[bench]") {
  CHECK(rounded(1.23456, 2) == 1.23);
  CHECK(rounded(-1.5, 0) == -2);
  CHECK(rounded(0.00049, 3) == 0);
}

TEST_CASE("a study keeps its runs and does not repeat them", "[bench]") {
  const BenchProgram program("bench_breakdown");
  if (!program.exists()) return;
  const mote::test::TempDir folder;
  const std::string runs = folder.file("runs");
  const std::string command =
      "study breakdown --preset smollm-135m --prompt 3 --generate 2 --repeat 1 --threads 1 --runs '" + runs + "' --format ";
  const Outcome first = program.run(command + "json");
  INFO(first.err);
  REQUIRE(first.status == 0);
  CHECK(first.err.empty());
  const auto study = nlohmann::json::parse(first.out);
  CHECK(study["findings"].size() == 1); // one model is compared with none
  CHECK(study["charts"].size() == 2);
  CHECK(study["tables"][0]["rows"][0][0] == "smollm-135m");
  CHECK(std::distance(std::filesystem::directory_iterator(runs), std::filesystem::directory_iterator()) == 1);
  CHECK(program.run(command + "json").out == first.out); // no two measurements are alike
  const Outcome markdown = program.run(command + "markdown --html '" + folder.file("study.html") + "'");
  CHECK(markdown.out.starts_with("# Breakdown"));
  CHECK(folder.read("study.html").find("Breakdown: where the time goes") != std::string::npos);

  // what is damaged is measured again
  const std::filesystem::path kept = *std::filesystem::directory_iterator(runs);
  std::ofstream(kept) << "{\"runs\": [";
  const Outcome again = program.run(command + "json");
  REQUIRE(again.status == 0);
  CHECK(again.out != first.out);
}

TEST_CASE("the ablation compares with published speeds", "[bench]") {
  const BenchProgram program("bench_breakdown");
  if (!program.exists()) return;
  const mote::test::TempDir folder;
  const std::string path =
      folder.write("published.csv", "name,prefill,decode\nablation-01,3,30\nablation-02,2,20\nablation-17,1,10\n");
  const std::string command =
      "study ablation --preset ablation-01,ablation-02,ablation-17 --prompt 2 --generate 2 --repeat 1 "
      "--threads 1 --format json --published '" +
      path + "'";
  const Outcome o = program.run(command);
  INFO(o.err);
  REQUIRE(o.status == 0);
  const auto study = nlohmann::json::parse(o.out);
  REQUIRE(study["findings"].size() == 3);
  CHECK(study["findings"][2]["paper"] == "The published decode of 3 shapes.");
  CHECK(study["tables"][0]["rows"].size() == 3);
  CHECK(study["tables"][0]["rows"][2][1] == 33); // layers

  folder.write("published.csv", "name,prefill,decode\nablation-01,3\n");
  const Outcome bad = program.run(command);
  CHECK(bad.status == 2);
  CHECK(bad.err.find("line 2") != std::string::npos);
}

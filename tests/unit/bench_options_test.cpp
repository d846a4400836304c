#include "bench/options.h"

#include "tests/catch.h"

using bench::context_of_run;
using bench::Format;
using bench::Options;
using bench::parse_options;
using mote::ErrorCode;

namespace {

mote::Result<Options> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "bench_breakdown");
  return parse_options(static_cast<int>(words.size()), words.data());
}

Options parsed(const std::vector<const char*>& words) {
  auto options = parse(words);
  INFO((options ? "" : options.error().message));
  REQUIRE(options);
  return *std::move(options);
}

std::vector<std::string> source_names(const Options& options) {
  std::vector<std::string> names;
  for (const bench::Source& source : options.sources) names.push_back(source.name);
  return names;
}

constexpr const char* kSmallShape = "layers=2,d_model=64,d_ff=96,heads=4,vocab=100,ctx=64";

} // namespace

TEST_CASE("bench_breakdown has defaults for everything", "[bench]") {
  const Options o = parsed({});
  CHECK(source_names(o) == std::vector<std::string>{"qwen2-0.5b", "qwen1.5-0.5b"});
  REQUIRE(o.sources[0].spec.has_value());
  CHECK(o.sources[0].spec->d_model == 896);
  CHECK(o.types == std::vector<mote::Mix>{mote::Mix::Q4_K_M});
  CHECK(o.prompts == std::vector<int>{50});
  CHECK(o.generates == std::vector<int>{50});
  CHECK(o.threads == std::vector<int>{mote::default_thread_count()});
  CHECK(o.isas == std::vector<mote::Isa>{*mote::default_isa()});
  CHECK(o.repeat >= 1);
  CHECK(o.context == 0);
  CHECK(o.format == Format::table);
  CHECK(o.out.empty());
  CHECK(o.help.empty());
}

TEST_CASE("Options that repeat take values one by one and by commas", "[bench]") {
  const Options o = parsed({"--preset", "qwen2-0.5b", "--type", "q8_0,F16", "--type=Q6_K", "--prompt", "7", "--prompt", "8,9",
                            "--generate", "1", "--threads", "1,2", "--isa", "scalar"});
  CHECK(source_names(o) == std::vector<std::string>{"qwen2-0.5b"});
  CHECK(o.types == std::vector<mote::Mix>{mote::Mix::Q8_0, mote::Mix::F16, mote::Mix::Q6_K});
  CHECK(o.prompts == std::vector<int>{7, 8, 9});
  CHECK(o.generates == std::vector<int>{1});
  CHECK(o.threads == std::vector<int>{1, 2});
  CHECK(o.isas == std::vector<mote::Isa>{mote::Isa::scalar});
}

TEST_CASE("Shapes keep their commas, and files need no spec", "[bench]") {
  const Options o =
      parsed({"--shape", kSmallShape, "--model", "a,b.gguf", "--model", "c.gguf", "--prompt", "10", "--generate", "10"});
  CHECK(source_names(o) == std::vector<std::string>{kSmallShape, "a,b.gguf", "c.gguf"});
  REQUIRE(o.sources[0].spec.has_value());
  CHECK(o.sources[0].spec->layers.size() == 2);
  CHECK(o.sources[0].spec->n_vocab == 100);
  CHECK_FALSE(o.sources[1].spec.has_value());
}

TEST_CASE("Single options are read", "[bench]") {
  const Options o =
      parsed({"--repeat", "5", "--context", "200", "--seed", "18446744073709551615", "--format", "json", "--out", "x.json"});
  CHECK(o.repeat == 5);
  CHECK(o.context == 200);
  CHECK(o.seed == UINT64_MAX);
  CHECK(o.format == Format::json);
  CHECK(o.out == "x.json");
  CHECK(parsed({"--html", "x.html"}).html == "x.html");
  CHECK(o.html.empty());
  CHECK(parsed({"--format", "csv"}).format == Format::csv);
  CHECK(parsed({"--format", "markdown"}).format == Format::markdown);
  const bench::Instruments some =
      parsed({"--trace", "t.json", "--overhead", "--sustain", "60", "--power-file", "uJ:a:b"}).instruments;
  CHECK(some.trace == "t.json");
  CHECK(some.overhead);
  CHECK(some.sustain == 60);
  REQUIRE(some.power_file.has_value());
  CHECK(some.power_file->path == "a:b");
  CHECK(some.power_file->unit == bench::PowerUnit::microjoules);
  CHECK(parsed({"--power-file", "uW:x"}).instruments.power_file->unit == bench::PowerUnit::microwatts);
  CHECK_FALSE(parsed({}).instruments.power_file);
  CHECK(parsed({"--list-presets"}).list_presets);
  const std::string help = parsed({"--help"}).help;
  for (const char* option : {"--preset", "--model", "--shape", "--type", "--prompt", "--generate", "--threads", "--isa",
                             "--repeat", "--context", "--seed", "--format", "--out", "--html", "--list-presets", "--help"})
    CHECK(help.find(option) != std::string::npos);
}

TEST_CASE("Mistakes in the command line are named", "[bench]") {
  struct Case {
    std::vector<const char*> words;
    const char* named; // in the message
  };
  const std::vector<Case> cases = {
      {{"--threads", "0"}, "--threads"},
      {{"--threads", "-1"}, "'-1'"},
      {{"--threads", "1025"}, "1024"},
      {{"--threads", "two"}, "'two'"},
      {{"--threads", "1,x"}, "'x'"},
      {{"--prompt", "0"}, "--prompt"},
      {{"--prompt", "99999999999999999999"}, "--prompt"},
      {{"--generate", "0"}, "--generate"},
      {{"--repeat", "0"}, "--repeat"},
      {{"--repeat", "1.5"}, "'1.5'"},
      {{"--context", "0"}, "--context"},
      {{"--seed", "-1"}, "--seed"},
      {{"--seed", "18446744073709551616"}, "--seed"},
      {{"--format", "xml"}, "'xml'"},
      {{"--sustain", "0"}, "--sustain"},
      {{"--sustain", "1s"}, "'1s'"},
      {{"--power-file", "/tmp/power"}, "uW:FILE"},
      {{"--power-file", "uW:"}, "'uW:'"},
      {{"--type", "Q9_Z"}, "Q4_K_M"}, // the names that there are
      {{"--isa", "mmx"}, "avx512"},
      {{"--preset", "qwen2-0.5"}, "qwen2-0.5b"}, // the nearest
      {{"--shape", "layerz=2"}, "layerz"},
      {{"--model", "x.gguf", "--type", "Q8_0"}, "--type"},
      {{"--context", "131073", "--preset", "qwen2-0.5b"}, "131072"},
      {{"--prompt", "50", "--context", "49"}, "49"},
      {{"--prompt", "50", "--generate", "51", "--context", "100"}, "51"},
      {{"--shape", kSmallShape, "--prompt", "65", "--generate", "1"}, "65"},
      {{"--frobnicate"}, "--frobnicate"},
      {{"model.gguf"}, "model.gguf"},
      {{"--prompt"}, "--prompt"},
  };
  for (const Case& c : cases) {
    const auto options = parse(c.words);
    INFO(c.words.front() << " " << c.words.back());
    REQUIRE_FALSE(options);
    CHECK(options.error().code == ErrorCode::invalid_argument);
    CHECK(options.error().message.find(c.named) != std::string::npos);
    CHECK(options.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("An ISA that this machine cannot run is no mistake in the command line", "[bench]") {
  for (const mote::Isa isa : mote::all_isas()) {
    const std::string name(mote::isa_name(isa));
    const auto options = parse({"--isa", name.c_str()});
    CHECK(static_cast<bool>(options) == mote::isa_available(isa));
    if (!options) CHECK(options.error().code == ErrorCode::unsupported);
  }
}

TEST_CASE("The context is what a run needs, if the model has as much", "[bench]") {
  CHECK(*context_of_run("m", 1000, 0, 30, 12) == 42);
  CHECK(*context_of_run("m", 1000, 500, 30, 12) == 500);
  CHECK(*context_of_run("m", 42, 0, 30, 12) == 42);
  CHECK(*context_of_run("m", 42, 42, 30, 12) == 42);
  CHECK_FALSE(context_of_run("m", 41, 0, 30, 12));
  CHECK_FALSE(context_of_run("m", 1000, 41, 30, 12));
  CHECK_FALSE(context_of_run("m", 1000, 1001, 30, 12));
  CHECK_FALSE(context_of_run("m", 20, 0, 30, 12));
}

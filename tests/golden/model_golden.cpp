// The decoder against transformers, or the authors' formulas: tiny models of every family, made by models/make_model_golden.py.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "mote/model.h"
#include "mote/sampler.h"
#include "mote/session.h"
#include "tests/catch.h"

using namespace mote;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(MOTE_SOURCE_DIR) / "tests/golden/models";

std::string path_of(const std::string& name) { return (kFolder / name).string(); }

/// Of every model that has its expected tokens here, sorted.
std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    if (entry.path().extension() == ".tokens") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  REQUIRE(names.size() > 9);
  return names;
}

struct Expected {
  std::vector<std::int32_t> prompt, greedy;
  double max_error = 0;      // relative to the range of the logits
  std::vector<float> logits; // [prompt, n_vocab]
};

Expected read_expected(const std::string& name) {
  Expected expected;
  std::ifstream tokens(path_of(name + ".tokens"));
  for (auto* ids : {&expected.prompt, &expected.greedy}) {
    std::string line;
    REQUIRE(std::getline(tokens, line));
    std::istringstream in(line);
    for (std::int32_t id; in >> id;) ids->push_back(id);
  }
  REQUIRE(tokens >> expected.max_error);
  std::ifstream file(path_of(name + ".logits"), std::ios::binary | std::ios::ate);
  REQUIRE(file.good());
  expected.logits.resize(static_cast<std::size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(expected.logits.data()),
            static_cast<std::streamsize>(expected.logits.size() * sizeof(float)));
  REQUIRE(file.good());
  return expected;
}

/// A session whose cache rounds nothing, as the reference's does not.
Session open_session(const std::string& name) {
  const auto model = Model::open(path_of(name + ".gguf"));
  if (!model) FAIL(model.error().message);
  SessionOptions options;
  options.kv_type = TensorType::F32;
  options.n_threads = 2;
  auto session = Session::create(*model, options);
  if (!session) FAIL(session.error().message);
  return *std::move(session);
}

} // namespace

TEST_CASE("logits equal the reference's to 1e-5 of their range (recurrent models: 1e-4)") {
  for (const std::string& name : model_names()) {
    INFO(name);
    const Expected expected = read_expected(name);
    Session session = open_session(name);
    std::vector<float> logits(expected.logits.size());
    REQUIRE(session.decode(expected.prompt, logits));
    const auto [low, high] = std::minmax_element(expected.logits.begin(), expected.logits.end());
    double worst = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) worst = std::fmax(worst, std::fabs(double(logits[i]) - expected.logits[i]));
    CHECK(worst / (*high - *low) < expected.max_error);
  }
}

TEST_CASE("greedy continuations equal the reference's") {
  for (const std::string& name : model_names()) {
    INFO(name);
    const Expected expected = read_expected(name);
    Session session = open_session(name);
    auto sampler = Sampler::create();
    REQUIRE(sampler);
    REQUIRE(session.decode(expected.prompt));
    std::vector<std::int32_t> greedy;
    for (std::size_t i = 0; i < expected.greedy.size(); ++i) {
      greedy.push_back(sampler->sample(session.logits()));
      REQUIRE(session.decode({&greedy.back(), 1}));
    }
    CHECK(greedy == expected.greedy);
  }
}

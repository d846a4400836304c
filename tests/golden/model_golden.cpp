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

/// The GGUF file and the directory of a model, as far as it has them.
std::vector<std::string> paths_of(const std::string& name) {
  std::vector<std::string> paths;
  for (const std::string& path : {path_of(name + ".gguf"), path_of(name)})
    if (std::filesystem::exists(path)) paths.push_back(path);
  REQUIRE(!paths.empty());
  return paths;
}

/// A session whose cache rounds nothing, as the reference's does not.
Session open_session(const std::string& path) {
  const auto model = Model::open(path);
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
    const Expected expected = read_expected(name);
    const auto [low, high] = std::minmax_element(expected.logits.begin(), expected.logits.end());
    for (const std::string& path : paths_of(name)) {
      INFO(path);
      Session session = open_session(path);
      std::vector<float> logits(expected.logits.size());
      REQUIRE(session.decode(expected.prompt, logits));
      double worst = 0;
      for (std::size_t i = 0; i < logits.size(); ++i) worst = std::fmax(worst, std::fabs(double(logits[i]) - expected.logits[i]));
      CHECK(worst / (*high - *low) < expected.max_error);
    }
  }
}

TEST_CASE("greedy continuations equal the reference's") {
  for (const std::string& name : model_names()) {
    const Expected expected = read_expected(name);
    for (const std::string& path : paths_of(name)) {
      INFO(path);
      Session session = open_session(path);
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
}

TEST_CASE("a Hugging Face directory computes the same bits as the GGUF file of the same model") {
  int n_compared = 0;
  for (const std::string& name : model_names()) {
    const auto paths = paths_of(name);
    if (paths.size() < 2) continue;
    INFO(name);
    const Expected expected = read_expected(name);
    std::vector<std::vector<float>> logits;
    std::vector<ModelSpec> specs;
    for (const std::string& path : paths) {
      Session session = open_session(path);
      REQUIRE(session.decode(expected.prompt, logits.emplace_back(expected.logits.size())));
      specs.push_back(Model::open(path)->spec());
    }
    CHECK(diff(specs[0], specs[1]) == "");
    CHECK(logits[0] == logits[1]);
    ++n_compared;
  }
  CHECK(n_compared > 9);
}

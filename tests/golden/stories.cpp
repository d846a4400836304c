// A real trained model, published with the text that it writes.
#include <cmath>
#include <string>
#include <vector>

#include "mote/model.h"
#include "mote/quantize.h"
#include "mote/sampler.h"
#include "mote/session.h"
#include "mote/tokenizer.h"
#include "quant/quant.h"
#include "tests/catch.h"
#include "tests/shared_dir.h"
#include "tests/temp_dir.h"

using namespace mote;

namespace {

const char* const kStory =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red "
    "ball. "
    "She wanted to play with it, but it was too high.\nLily's mom said, \"Lily, let's go to the park.\" Lily was sad and didn't "
    "know "
    "what to do. She said, \"I want to play with your ball, but I can't find it.\"\nLily was sad and didn't know what to do. She "
    "said, "
    "\"I'm sorry, Lily. I didn't know what to do.\"\nLily didn't want to help her mom, so she";

std::string write_story(const Model& model, int n_tokens) {
  const Tokenizer* tokenizer = model.tokenizer();
  REQUIRE(tokenizer);
  auto session = Session::create(model);
  auto sampler = Sampler::create();
  REQUIRE(session);
  REQUIRE(sampler);
  TextStream stream(*tokenizer);
  std::string text;
  std::int32_t token = tokenizer->bos();
  for (int i = 0; i < n_tokens; ++i) {
    REQUIRE(session->decode({&token, 1}));
    token = sampler->sample(session->logits());
    text += stream.push(token);
  }
  text += stream.finish();
  return text;
}

std::vector<float> logits_of(const Model& model, const std::vector<std::int32_t>& tokens) {
  auto session = Session::create(model);
  REQUIRE(session);
  std::vector<float> logits(tokens.size() * static_cast<std::size_t>(model.spec().n_vocab));
  REQUIRE(session->decode(tokens, logits));
  return logits;
}

/// Root of the mean square of a - b (b may be empty: of a), over the root mean square of a about its mean.
double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double mean = 0, square = 0, difference = 0;
  for (const float x : a) mean += x / static_cast<double>(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    square += (a[i] - mean) * (a[i] - mean);
    difference += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return std::sqrt(difference / square);
}

/// Relative error that storing gaussian numbers in this type makes.
double type_error(TensorType type) {
  std::vector<float> x(4096), y(x.size());
  std::uint64_t state = 1;
  for (float& v : x) { // the sum of four uniform numbers
    v = 0;
    for (int i = 0; i < 4; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      v += static_cast<float>(state >> 40) * 0x1p-24f - 0.5f;
    }
  }
  std::vector<std::byte> blocks(row_bytes(type, x.size()));
  quant::quantize(type, x, blocks.data());
  quant::dequantize(type, blocks.data(), y);
  return relative_difference(x, y);
}

} // namespace

TEST_CASE("the trained model writes its published story") {
  const auto path = shared_file("models/stories260K.gguf");
  if (!path) return;
  const auto model = Model::open(*path);
  if (!model) FAIL(model.error().message);
  CHECK(write_story(*model, 200) == kStory);
}

TEST_CASE("quantized by us, the trained model's logits move by no more than the types' errors add up to") {
  const auto path = shared_file("models/stories260K.gguf");
  if (!path) return;
  const auto original = Model::open(*path);
  if (!original) FAIL(original.error().message);
  const auto tokens = original->tokenizer()->encode(kStory, {.bos = true});
  REQUIRE(tokens);
  const auto expected = logits_of(*original, *tokens);
  // The model's rows are 64 and 172 long, so 256-weight types fall back: Q4_0 and Q5_0 are what is left besides Q8_0.
  const struct {
    Mix mix;
    TensorType worst;
  } cases[] = {{Mix::F16, TensorType::F16},
               {Mix::Q8_0, TensorType::Q8_0},
               {Mix::Q6_K, TensorType::Q8_0},
               {Mix::Q4_K_M, TensorType::Q5_0},
               {Mix::Q4_0, TensorType::Q4_0}};
  const test::TempDir folder;
  for (const auto& c : cases) {
    INFO(mix_name(c.mix));
    const std::string out = folder.file(std::string(mix_name(c.mix)) + ".gguf");
    QuantizeOptions options;
    options.mix = c.mix;
    const Status status = quantize_file(*path, out, options);
    if (!status) FAIL(status.error().message);
    const auto model = Model::open(out);
    if (!model) FAIL(model.error().message);
    CHECK(model->type_name() == mix_name(c.mix));
    // Each product on the way to the logits (seven a layer and the head) adds an independent error of the weights' relative size
    // and one of the activations' (int8 with a scale per 32: 0.0067; none for F16). Squares add up; layers amplify: a factor
    // of 2.
    const double activations = c.mix == Mix::F16 ? 0 : 0.0067, weights = type_error(c.worst);
    const double n_products = 7.0 * static_cast<double>(model->spec().layers.size()) + 1;
    const double bound = 2 * std::sqrt(n_products * (weights * weights + activations * activations));
    const double difference = relative_difference(expected, logits_of(*model, *tokens));
    CHECK(difference < bound);
    CHECK(difference > 0);
    if (bound < 0.2) {
      const std::string story = write_story(*model, 40);
      CHECK(story.starts_with("Once upon a time, there was a little"));
    }
  }
}

// The promise of the library: for one model and one prompt the logits are the same to the last bit, however they are computed.
#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

#include "tests/property/models.h"
#include "tests/property/processors.h"

using namespace mote;
using namespace mote::test;

namespace {

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Finite and not all the same: equality of nonsense would prove nothing.
bool sensible(const std::vector<float>& logits) {
  for (const float x : logits)
    if (!std::isfinite(x)) return false;
  return !std::equal(logits.begin() + 1, logits.end(), logits.begin());
}

SessionOptions threads(int n_threads) {
  SessionOptions options;
  options.n_threads = n_threads;
  return options;
}

/// Tests that take minutes on an emulated processor run every eighth shape there; the first test below runs all of them, each but
/// the first with one mix.
#ifdef MOTE_EMULATED
constexpr std::size_t kShapeStep = 8, kMixes = 1;
#else
constexpr std::size_t kShapeStep = 1, kMixes = 2;
#endif

/// All of the mixes for the first shape, for each other one n of them in turn: types and families meet in matrices only.
std::vector<Mix> mixes_for(std::size_t shape, std::size_t n, const std::vector<Mix>& all) {
  if (shape == 0) return all;
  std::vector<Mix> mixes;
  for (std::size_t i = 0; i < n; ++i) mixes.push_back(all[(shape * n + i) % all.size()]);
  return mixes;
}

} // namespace

TEST_CASE("every ISA computes the bits of scalar, for every mix and family") {
  const auto names = all_mixes();
  const std::vector<Mix> all(names.begin(), names.end());
  for (std::size_t i = 0; i < awkward_shapes().size(); ++i) {
    const std::string& shape = awkward_shapes()[i];
    for (const Mix mix : mixes_for(i, kMixes, all)) {
      INFO(shape << " " << mix_name(mix));
      const Model scalar = make_model(shape, mix);
      const auto prompt = make_prompt(scalar, 21);
      const auto expected = logits_of(scalar, prompt, threads(1), {21});
      REQUIRE(sensible(expected));
      for (const Isa isa : available_isas()) {
        INFO(isa_name(isa));
        CHECK(same_bits(logits_of(make_model(shape, mix, isa), prompt, threads(2), {21}), expected));
      }
    }
  }
}

TEST_CASE("one token at a time equals all at once, and any other split") {
  if (!promises_bits()) return;
  const Isa isa = available_isas().back();
  for (std::size_t i = 0; i < awkward_shapes().size(); i += kShapeStep) {
    const std::string& shape = awkward_shapes()[i];
    for (const Mix mix : mixes_for(i, 1, {Mix::F16, Mix::Q4_K_M, Mix::Q8_0})) {
      INFO(shape << " " << mix_name(mix));
      const Model model = make_model(shape, mix, isa);
      const auto prompt = make_prompt(model, 70);
      const auto expected = logits_of(model, prompt, threads(2), {70});
      CHECK(same_bits(logits_of(model, prompt, threads(2), {1}), expected));
      CHECK(same_bits(logits_of(model, prompt, threads(2), {17, 2, 1, 31, 5}), expected));
      SessionOptions small = threads(2);
      small.n_batch = 9;
      CHECK(same_bits(logits_of(model, prompt, small, {70}), expected));
    }
  }
}

TEST_CASE("any number of threads computes the same bits") {
  const Isa isa = available_isas().back();
  for (std::size_t i = 0; i < awkward_shapes().size(); i += kShapeStep) {
    const std::string& shape = awkward_shapes()[i];
    INFO(shape);
    const Model model = make_model(shape, Mix::Q4_K_M, isa);
    const auto prompt = make_prompt(model, 40);
    const auto expected = logits_of(model, prompt, threads(1), {30, 1});
    for (const int n : {2, 3, 4, 7}) {
      INFO(n << " threads");
      CHECK(same_bits(logits_of(model, prompt, threads(n), {30, 1}), expected));
    }
  }
}

TEST_CASE("processors that come and go between calls change no bits") {
  for (std::size_t i = 0; i < awkward_shapes().size(); i += 4) {
    INFO(awkward_shapes()[i]);
    const Model model = make_model(awkward_shapes()[i], Mix::Q4_K_M, available_isas().back());
    const auto prompt = make_prompt(model, 24);
    const auto expected = logits_of(model, prompt, threads(1), {24});
    SessionOptions options = threads(5);
    options.profile = true;
    auto session = Session::create(model, options);
    REQUIRE(session);
    std::size_t n_done = 0;
    for (const auto& [n_processors, n_tokens] :
         {std::pair{64, 9}, {2, 4}, {3, 1}, {1, 1}, {1, 3}, {5, 1}, {2, 1}, {4, 3}, {1, 1}}) {
      processor_count = n_processors;
      REQUIRE(session->decode(std::span(prompt).subspan(n_done, static_cast<std::size_t>(n_tokens))));
      n_done += static_cast<std::size_t>(n_tokens);
    }
    processor_count = 64;
    REQUIRE(n_done == prompt.size());
    const std::vector<float> logits(session->logits().begin(), session->logits().end());
    CHECK(same_bits(logits, {expected.end() - static_cast<std::ptrdiff_t>(logits.size()), expected.end()}));
  }
}

TEST_CASE("a context of several attention chunks is the same however it is split") {
  if (!promises_bits()) return;
  const Isa isa = available_isas().back();
  const Model model = make_model(awkward_shapes()[0], Mix::Q4_0, isa);
  const auto prompt = make_prompt(model, 600);
  const auto expected = logits_of(model, prompt, threads(2), {600});
  for (const int n_threads : {1, 3})
    CHECK(same_bits(logits_of(model, prompt, threads(n_threads), {255, 1, 1, 300, 1}), expected));
  CHECK(same_bits(logits_of(make_model(awkward_shapes()[0], Mix::Q4_0, Isa::scalar), prompt, threads(2), {100}), expected));
}

TEST_CASE("many tokens in blocks for each thread and long contexts in chunks compute the same bits") {
  if (!promises_bits()) return;
  const Isa isa = available_isas().back();
  for (std::size_t i = 0; i < awkward_shapes().size(); i += kShapeStep) {
    const std::string& shape = awkward_shapes()[i];
    for (const Mix mix : mixes_for(i, 1, {Mix::F16, Mix::Q4_K_M})) {
      INFO(shape << " " << mix_name(mix));
      const Model model = make_model(shape, mix, isa);
      const auto prompt = make_prompt(model, 290);
      const auto expected = logits_of(model, prompt, threads(1), {290});
      CHECK(same_bits(logits_of(model, prompt, threads(1), {280, 1}), expected));
      CHECK(same_bits(logits_of(model, prompt, threads(2), {131, 156, 1}), expected));
      CHECK(same_bits(logits_of(model, prompt, threads(3), {285, 1}), expected));
      CHECK(same_bits(logits_of(model, prompt, threads(4), {257, 30, 1}), expected));
    }
  }
}

TEST_CASE("measuring changes nothing") {
  const Model model = make_model(awkward_shapes()[1], Mix::Q4_K_M, available_isas().back());
  const auto prompt = make_prompt(model, 33);
  SessionOptions measured = threads(2);
  measured.profile = true;
  measured.trace_events = 50; // fewer than there are
  CHECK(same_bits(logits_of(model, prompt, measured, {20, 1}), logits_of(model, prompt, threads(2), {20, 1})));
}

TEST_CASE("measuring stops and goes on between calls") {
  const Model model = make_model(awkward_shapes()[0], Mix::Q4_K_M);
  SessionOptions options = threads(2);
  options.profile = true;
  options.trace_events = 1000;
  auto session = Session::create(model, options);
  REQUIRE(session);
  const std::int32_t token = 1;
  for (const bool on : {true, false, false, true}) {
    session->set_profiling(on);
    REQUIRE(session->decode({&token, 1}));
  }
  CHECK(session->profile().decode.n_tokens == 2);
  const std::size_t n_steps = session->profile().decode.steps.size(), n_events = session->trace().size();
  CHECK(n_events >= 2 * 2 * n_steps); // of each thread in each call; more for the waiting
  CHECK(n_events <= 2 * 2 * 2 * n_steps);
  session->reset_profile();
  CHECK(session->profile().decode.n_tokens == 0);
  CHECK(session->trace().empty());
}

TEST_CASE("a truncated session continues as one that never went on") {
  const Model model = make_model(awkward_shapes()[3], Mix::Q4_K_M, available_isas().back());
  const auto prompt = make_prompt(model, 60);
  auto session = Session::create(model, threads(2));
  REQUIRE(session);
  REQUIRE(session->decode({prompt.data(), 60}));
  const std::vector<float> expected(session->logits().begin(), session->logits().end());
  REQUIRE(session->truncate(23));
  CHECK(session->position() == 23);
  std::vector<std::int32_t> other(prompt.rbegin(), prompt.rbegin() + 30);
  REQUIRE(session->decode(other));
  REQUIRE(session->truncate(23));
  REQUIRE(session->decode({prompt.data() + 23, 37}));
  CHECK(same_bits({session->logits().begin(), session->logits().end()}, expected));
}

TEST_CASE("the logits of the last token are those of the last row of all") {
  if (!promises_bits()) return;
  const Model model = make_model(awkward_shapes()[4], Mix::Q8_0, available_isas().back());
  const auto prompt = make_prompt(model, 25);
  const auto all = logits_of(model, prompt, threads(1), {25});
  auto session = Session::create(model, threads(1));
  REQUIRE(session);
  REQUIRE(session->decode(prompt));
  const std::vector<float> last(session->logits().begin(), session->logits().end());
  CHECK(same_bits(last, {all.end() - model.spec().n_vocab, all.end()}));
}

TEST_CASE("the host's floating-point settings do not reach the logits") {
  const Model model = make_model(awkward_shapes()[2], Mix::Q4_K_M, available_isas().back());
  const auto prompt = make_prompt(model, 12);
  const auto expected = logits_of(model, prompt, threads(2), {12});
  std::fesetround(FE_UPWARD);
  const auto upward = logits_of(model, prompt, threads(2), {12});
  CHECK(std::fegetround() == FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  CHECK(same_bits(upward, expected));
}

TEST_CASE("beyond the length of training the bits do not depend on the split either") {
  if (!promises_bits()) return;
  auto spec = spec_from_shape("family=qwen,layers=2,d_model=96,d_ff=160,heads=3,head_dim=36,vocab=67,ctx=200");
  REQUIRE(spec);
  for (LayerSpec& layer : spec->layers) {
    AttentionSpec& attention = *layer.attention();
    attention.log_scaling_from = attention.rope->n_short_ctx = 50;
    attention.rope->long_factors.assign(18, 3.0f);
  }
  const auto make = [&](Isa isa) {
    ModelOptions options;
    options.isa = isa;
    auto model = Model::random(*spec, Mix::Q8_0, 7, options);
    if (!model) FAIL(model.error().message);
    return *std::move(model);
  };
  const Model model = make(available_isas().back());
  const auto prompt = make_prompt(model, 90);
  const auto expected = logits_of(make(Isa::scalar), prompt, threads(1), {90});
  REQUIRE(sensible(expected));
  CHECK(same_bits(logits_of(model, prompt, threads(2), {1}), expected));
  CHECK(same_bits(logits_of(model, prompt, threads(3), {49, 1, 1, 17}), expected));
  SessionOptions few = threads(2);
  few.n_ctx = 50; // short enough for the other frequencies
  const auto start = logits_of(model, {prompt.begin(), prompt.begin() + 50}, few, {50});
  CHECK_FALSE(std::equal(start.begin(), start.end(), expected.begin()));
}

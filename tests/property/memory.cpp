// What memory_of says is what models and sessions hold, to the byte.
#include "mote/memory.h"

#include <numeric>

#include "tests/property/models.h"

namespace mote::test {
namespace {

constexpr Mix kMixes[] = {Mix::Q4_K_M, Mix::F16,  Mix::Q8_0,   Mix::Q3_K_M, Mix::F32,
                          Mix::Q6_K,   Mix::Q4_0, Mix::Q5_K_M, Mix::Q4_K_S};

std::vector<SessionOptions> session_options() {
  return {{.n_ctx = 1, .n_threads = 1},
          {.n_ctx = 0, .n_threads = 2},
          {.n_ctx = 300, .n_batch = 7, .n_threads = 3, .kv_type = TensorType::F32},
          {.n_ctx = 257, .n_batch = 500, .n_threads = 1}};
}

bool equal(const MemoryUse& a, const MemoryUse& b) {
  return a.parameters == b.parameters && a.tokenizer == b.tokenizer && a.kv_cache == b.kv_cache && a.state == b.state &&
         a.compute == b.compute;
}

} // namespace

TEST_CASE("memory is predicted to the byte") {
  for (std::size_t i = 0; i < awkward_shapes().size(); ++i)
    for (const Mix mix : {kMixes[i % std::size(kMixes)], kMixes[(i + 4) % std::size(kMixes)]}) {
      INFO(awkward_shapes()[i] << " " << mix_name(mix));
      const Model model = make_model(awkward_shapes()[i], mix);
      for (const SessionOptions& options : session_options()) {
        const auto session = Session::create(model, options);
        const auto from_spec = memory_of(model.spec(), mix, options), from_model = memory_of(model, options);
        REQUIRE((session && from_spec && from_model));
        CHECK(equal(from_spec->use, session->memory()));
        CHECK(equal(from_model->use, session->memory()));
        const auto& parts = from_spec->parameters;
        CHECK(std::accumulate(parts.begin(), parts.end(), std::size_t{0}) == from_spec->use.parameters);
        CHECK(from_spec->packing < from_spec->use.parameters);
        CHECK(from_spec->total() ==
              from_spec->use.parameters + from_spec->use.kv_cache + from_spec->use.state + from_spec->use.compute);
      }
    }
}

TEST_CASE("parameters belong to the component that multiplies them") {
  const auto tied = spec_from_shape("layers=2,d_model=64,d_ff=96,heads=4,vocab=96,ctx=64,tied=1");
  const auto own = spec_from_shape("layers=2,d_model=64,d_ff=96,heads=4,vocab=96,ctx=64");
  REQUIRE((tied && own));
  const auto of = [](const ModelSpec& spec, Component c) {
    return memory_of(spec, Mix::F32)->parameters[static_cast<std::size_t>(c)];
  };
  constexpr std::size_t kFloat = 4, kNorm = 64 * kFloat;
  CHECK(of(*tied, Component::embedding) == 96 * 64 * kFloat);
  CHECK(of(*tied, Component::lm_head) == kNorm);
  CHECK(of(*own, Component::lm_head) == 96 * 64 * kFloat + kNorm);
  CHECK(of(*own, Component::attention) == 2 * (4 * 64 * 64 * kFloat + kNorm));
  CHECK(of(*own, Component::ffn) == 2 * (3 * 64 * 96 * kFloat + kNorm));
  CHECK(of(*own, Component::other) == 0);
  CHECK(memory_of(*own, Mix::F32)->packing == 0); // all rows are whole panels
}

TEST_CASE("memory of large models is known without making them") {
  const auto spec = spec_from_preset("qwen2-0.5b");
  REQUIRE(spec);
  const auto near = memory_of(*spec, Mix::Q4_K_M, {.n_ctx = 100}), far = memory_of(*spec, Mix::Q4_K_M, {.n_ctx = 131072});
  REQUIRE((near && far));
  CHECK(near->use.parameters == far->use.parameters);
  CHECK(far->use.kv_cache == std::size_t{131072} * 24 * 2 * 2 * 64 * 2); // layers, k and v, kv heads, head_dim, bytes
  CHECK(memory_of(*spec, Mix::Q4_K_M)->use.kv_cache == far->use.kv_cache);
}

TEST_CASE("memory of what cannot be is refused") {
  const auto spec = spec_from_shape(awkward_shapes()[0]);
  REQUIRE(spec);
  for (const SessionOptions& options : {SessionOptions{.n_ctx = 601}, {.n_batch = 0}, {.n_threads = -1}, {.trace_events = -1}}) {
    const auto refused = memory_of(*spec, Mix::Q4_K_M, options);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid_argument);
  }
  ModelSpec wrong = *spec;
  wrong.n_vocab = 0;
  CHECK_FALSE(memory_of(wrong, Mix::Q4_K_M));
}

} // namespace mote::test

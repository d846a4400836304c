// What only recurrent models do: their state is of one size, and goes back to nowhere but the beginning.
#include <cstring>

#include "tests/property/models.h"

using namespace mote;
using namespace mote::test;

namespace {

const char* const kShapes[] = {
    "family=mamba,layers=2,d_model=222,d_inner=430,d_state=5,dt_rank=15,d_conv=3,vocab=51,ctx=600",
    "family=mamba2,layers=2,d_model=192,d_inner=420,ssm_heads=6,d_state=9,ssm_groups=3,d_conv=4,vocab=55,ctx=600",
    "family=lfm2,layers=3,d_model=222,d_ff=420,heads=6,kv_heads=2,head_dim=38,attention_layers=1,vocab=57,ctx=600",
    ("family=recurrentgemma,layers=3,d_model=256,rglru_blocks=2,d_ff=512,heads=4,kv_heads=1,rope_dims=22,attention_layers=1,"
     "vocab=59,ctx=600"),
    ("family=zamba2,layers=3,d_model=96,ssm_heads=6,d_ff=160,heads=3,attention_layers=1:2,qkv_rank=32,ffn_rank=32,vocab=57,"
     "ctx=600"),
    "family=mamba,layers=1,d_model=64,d_inner=33,d_state=1,dt_rank=1,d_conv=1,vocab=51,ctx=600",
};

std::vector<float> continue_with(Session& session, const std::vector<std::int32_t>& tokens) {
  const Status status = session.decode(tokens);
  if (!status) FAIL(status.error().message);
  return {session.logits().begin(), session.logits().end()};
}

Session make_session(const Model& model, int n_ctx) {
  SessionOptions options;
  options.n_ctx = n_ctx;
  options.n_threads = 2;
  auto session = Session::create(model, options);
  if (!session) FAIL(session.error().message);
  return *std::move(session);
}

} // namespace

TEST_CASE("a recurrent session that forgets everything starts like a new one") {
  for (const char* shape : kShapes) {
    INFO(shape);
    const Model model = make_model(shape, Mix::Q4_K_M, available_isas().back());
    const auto prompt = make_prompt(model, 20);
    Session session = make_session(model, 0);
    const std::vector<float> expected = continue_with(session, prompt);
    const std::vector<float> other = continue_with(session, prompt);
    CHECK(other != expected); // the past counts
    REQUIRE(session.truncate(0));
    CHECK(continue_with(session, prompt) == expected);
    REQUIRE(session.truncate(0));
    std::vector<float> last;
    for (const std::int32_t token : prompt) last = continue_with(session, {token});
    CHECK(last == expected);
  }
}

TEST_CASE("a recurrent session refuses to forget some tokens and goes on as if nothing had been asked") {
  for (const char* shape : kShapes) {
    INFO(shape);
    const Model model = make_model(shape, Mix::Q8_0);
    CHECK(is_recurrent(model.spec()));
    const auto prompt = make_prompt(model, 20);
    Session session = make_session(model, 0), undisturbed = make_session(model, 0);
    continue_with(session, prompt);
    continue_with(undisturbed, prompt);
    const Status refused = session.truncate(10);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unsupported);
    CHECK(session.position() == 20);
    CHECK(session.truncate(20));
    CHECK(continue_with(session, {3}) == continue_with(undisturbed, {3}));
  }
}

TEST_CASE("the state of a recurrent model does not grow with the context") {
  const Model recurrent = make_model(kShapes[0], Mix::Q8_0), hybrid = make_model(kShapes[2], Mix::Q8_0);
  CHECK(make_session(recurrent, 600).memory().kv_cache == 0);
  CHECK(make_session(recurrent, 10).memory().state == make_session(recurrent, 600).memory().state);
  CHECK(make_session(recurrent, 10).memory().state >= 2 * 430 * (5 + 2) * sizeof(float));
  CHECK(make_session(hybrid, 10).memory().state == make_session(hybrid, 600).memory().state);
  CHECK(make_session(hybrid, 10).memory().kv_cache < make_session(hybrid, 600).memory().kv_cache);
  CHECK_FALSE(is_recurrent(make_model(awkward_shapes()[0], Mix::Q8_0).spec()));
}

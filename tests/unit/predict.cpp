#include "mote/predict.h"

#include <numeric>

#include "mote/model.h"
#include "mote/session.h"
#include "tests/catch.h"

namespace {

using namespace mote;

ModelSpec spec_of(const std::string& shape) {
  const auto spec = spec_from_shape(shape);
  INFO(shape);
  REQUIRE(spec);
  return *spec;
}

const char* const kSmall = "layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=320,ctx=512";

/// Each weight of a product costs so much a token, and nothing else anything.
Calibration only_weights(double weight_ns) {
  Calibration c;
  c.read_bandwidth = 1e9;
  for (const int n : {1, 256}) {
    PassCost pass;
    pass.n_tokens = n;
    for (const TypeInfo& type : all_types()) pass.products.push_back({type.type, 0, weight_ns * n});
    c.passes.push_back(pass);
  }
  return c;
}

/// Everything costs something.
Calibration everything() {
  Calibration c = only_weights(0.01);
  for (PassCost& pass : c.passes) {
    pass.step_ns = 900;
    pass.memory_step_ns = 100;
    pass.wait_ns = 50;
    pass.wait_share = 0.01;
    pass.row_ns = pass.norm_ns = pass.embed_ns = pass.recurrence_ns = 0.5 * pass.n_tokens;
    pass.activation_ns.fill(0.25 * pass.n_tokens);
    pass.memory_byte_ns = 0.02;
  }
  c.one_token = c.several_tokens = {500, 20, 0.1, 0.5, 0.01, 0.01, 10, 0.02};
  c.latent_key_ns = 0.1;
  c.misses = {{1e4, 0}, {1e6, 1}};
  c.call_ns = 700;
  c.logit_ns = 1;
  return c;
}

double sum_of(const PredictedTime& time) { return std::accumulate(time.component_ns.begin(), time.component_ns.end(), 0.0); }

double component(const PredictedTime& time, Component component) {
  return time.component_ns[static_cast<std::size_t>(component)];
}

} // namespace

TEST_CASE("predict: the work of a model is that of the plan which runs") {
  for (const char* shape :
       {kSmall, "family=gpt2,layers=2,d_model=64,d_ff=256,heads=4,vocab=320,ctx=64",
        "family=granitemoe,layers=2,d_model=64,d_ff=32,heads=4,kv_heads=2,vocab=320,experts=4,experts_used=2,ctx=64",
        "family=minicpm3,layers=2,d_model=64,d_ff=96,heads=4,head_dim=24,rope_dims=8,q_rank=32,kv_rank=32,v_dim=16,vocab=320,ctx="
        "64",
        "family=mamba,layers=2,d_model=64,vocab=320,ctx=64",
        "family=recurrentgemma,layers=3,d_model=64,d_ff=96,heads=4,kv_heads=1,rglru_blocks=4,vocab=320,ctx=64,attention_layers="
        "2"}) {
    INFO(shape);
    const ModelSpec spec = spec_of(shape);
    const auto work = work_of(spec, Mix::Q8_0);
    REQUIRE(work);
    const auto model = Model::random(spec, Mix::Q8_0, 0);
    REQUIRE(model);
    auto session = Session::create(*model, {.n_threads = 2, .profile = true});
    REQUIRE(session);
    const std::int32_t token = 1;
    REQUIRE(session->decode({&token, 1}));
    const auto steps = session->profile().decode.steps;
    REQUIRE(steps.size() == work->size());
    double bytes = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      CHECK(steps[i].component == (*work)[i].component);
      CHECK(steps[i].operation == (*work)[i].operation);
      CHECK(steps[i].layer == (*work)[i].layer);
      CHECK((steps[i].n_barriers == 0) == (*work)[i].unshared);
      for (const ProductWork& p : (*work)[i].products)
        bytes += static_cast<double>((p.n_rows + 15) / 16 * 16) * (p.n_used ? p.n_used : p.n_parts) *
                 static_cast<double>(row_bytes(p.type, static_cast<std::size_t>(p.n_cols)));
    }
    const auto embedded = static_cast<double>(row_bytes(TensorType::Q8_0, static_cast<std::size_t>(spec.d_model)));
    CHECK(bytes + embedded == Approx(static_cast<double>(model->bytes_per_token())).epsilon(0.05));
  }
}

TEST_CASE("predict: products cost what their weights cost") {
  const ModelSpec spec = spec_of(kSmall);
  const auto p = predict(spec, Mix::Q8_0, only_weights(0.5), {.n_prompt = 10, .positions = {10, 400}});
  REQUIRE(p);
  const double attention = 2 * (64 * 64 + 2 * 32 * 64 + 64 * 64), ffn = 2 * (3 * 64 * 96), head = 320 * 64;
  REQUIRE(p->tokens.size() == 2);
  for (const PredictedTime& token : p->tokens) {
    CHECK(component(token, Component::attention) == Approx(0.5 * attention));
    CHECK(component(token, Component::ffn) == Approx(0.5 * ffn));
    CHECK(component(token, Component::lm_head) == Approx(0.5 * head));
    CHECK(token.total_ns == Approx(0.5 * (attention + ffn + head)));
    CHECK(token.wait_ns == 0);
  }
  CHECK(p->first_token.total_ns == Approx(0.5 * (10 * (attention + ffn) + head))); // one token's logits
}

TEST_CASE("predict: each thing that a step does has its price") {
  const ModelSpec spec = spec_of(kSmall);
  const auto token = [&](const Calibration& c, const PredictOptions& options = {.positions = {99}}) {
    const auto p = predict(spec, Mix::Q8_0, c, options);
    REQUIRE(p);
    return p->tokens.at(0).total_ns;
  };
  Calibration steps = only_weights(0);
  for (PassCost& pass : steps.passes) pass.step_ns = 100;
  CHECK(token(steps) == Approx(100 * (1 + 2 * 4 + 1))); // embedding; qkv, output, both halves of the FFN; the head
  Calibration attention = only_weights(0);
  attention.one_token.position_ns = 2;
  CHECK(token(attention) == Approx(2 * 100 * 4 * 2)); // positions, heads, layers
  Calibration norms = only_weights(0);
  for (PassCost& pass : norms.passes) pass.norm_ns = 3;
  CHECK(token(norms) == Approx(3 * 64 * 5));
  Calibration logits = only_weights(0);
  logits.logit_ns = 2;
  CHECK(token(logits) == Approx(640));

  Calibration memory = only_weights(0);
  for (PassCost& pass : memory.passes) pass.memory_byte_ns = 1;
  const double bytes = (2 * (64 * 64 + 2 * 32 * 64 + 64 * 64 + 3 * 64 * 96) + 320 * 64) * 34.0 / 32;
  CHECK(token(memory) == Approx(bytes)); // no curve: all comes from memory
  CHECK(token(memory, {.positions = {99}, .read_bandwidth = 4e9}) == Approx(bytes / 4));
  memory.misses = {{bytes / 2, 0}, {bytes * 2, 0.5}};
  CHECK(token(memory) == Approx(bytes / 4).epsilon(0.01));
}

TEST_CASE("predict: components add up and more work takes longer") {
  const Calibration c = everything();
  for (const char* shape :
       {kSmall, "family=granitemoe,layers=2,d_model=64,d_ff=32,heads=4,kv_heads=2,vocab=320,experts=4,experts_used=2,ctx=512",
        "family=minicpm3,layers=2,d_model=64,d_ff=96,heads=4,head_dim=24,rope_dims=8,q_rank=32,kv_rank=32,v_dim=16,vocab=320,ctx="
        "512",
        "family=recurrentgemma,layers=3,d_model=64,d_ff=96,heads=4,kv_heads=1,rglru_blocks=4,vocab=320,ctx=512,attention_layers="
        "2"}) {
    INFO(shape);
    const ModelSpec spec = spec_of(shape);
    double last_prompt = 0;
    for (const int n_prompt : {1, 2, 3, 50, 256, 257, 400}) {
      const auto p = predict(spec, Mix::Q4_K_M, c, {.n_prompt = n_prompt, .positions = {0, 10, 100, 300, 500}});
      REQUIRE(p);
      CHECK(p->first_token.total_ns > last_prompt);
      last_prompt = p->first_token.total_ns;
      CHECK(sum_of(p->first_token) == Approx(p->first_token.total_ns));
      double last_token = 0;
      for (const PredictedTime& token : p->tokens) {
        CHECK(token.total_ns > last_token);
        last_token = token.total_ns;
        CHECK(sum_of(token) == Approx(token.total_ns));
        CHECK(token.wait_ns > 0);
        CHECK(token.wait_ns < token.total_ns);
      }
    }
  }
}

TEST_CASE("predict: equal plans have equal predictions, and shared weights stay in the caches") {
  Calibration c = everything();
  const auto token = [&](const std::string& shape) {
    const auto p = predict(spec_of(shape), Mix::Q4_0, c, {.positions = {7}});
    REQUIRE(p);
    return p->tokens[0].total_ns;
  };
  CHECK(token(kSmall) == token(std::string(kSmall) + ",name=other"));
  CHECK(token(std::string(kSmall) + ",window=100") == token(kSmall)); // longer than what there is
  const std::string wide = "layers=8,d_model=256,d_ff=512,heads=4,vocab=320,ctx=64";
  CHECK(token(wide + ",shared_ffn=1") < token(wide));
}

TEST_CASE("predict: says what it cannot do") {
  const ModelSpec spec = spec_of(kSmall);
  CHECK(predict(spec, Mix::Q8_0, {}).error().code == ErrorCode::invalid_argument);
  CHECK(predict(spec, Mix::Q8_0, everything(), {.n_prompt = 0}).error().code == ErrorCode::invalid_argument);
  CHECK(predict(spec, Mix::Q8_0, everything(), {.n_prompt = spec.n_ctx + 1}).error().code == ErrorCode::invalid_argument);
  CHECK(predict(spec, Mix::Q8_0, everything(), {.positions = {-1}}).error().code == ErrorCode::invalid_argument);
  CHECK(predict(spec, Mix::Q8_0, everything(), {.positions = {spec.n_ctx}}).error().message.find("expected 0..511") !=
        std::string::npos);
  CHECK(predict(spec, Mix::Q8_0, everything(), {.n_batch = 2147483647}).error().code == ErrorCode::invalid_argument);
  CHECK(predict(spec, Mix::Q8_0, everything(), {.n_batch = 0}).error().code == ErrorCode::invalid_argument);
  Calibration c = everything();
  std::erase_if(c.passes[1].products, [](const ProductCost& cost) { return cost.type == TensorType::Q8_0; });
  const auto p = predict(spec, Mix::Q8_0, c);
  REQUIRE(!p);
  CHECK(p.error().code == ErrorCode::unsupported);
  CHECK(p.error().message.find("Q8_0") != std::string::npos);
  ModelSpec none = spec;
  none.d_model = 0;
  CHECK(!predict(none, Mix::Q8_0, everything()));
}

#include "tests/catch.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "mote/spec.h"

namespace {

using mote::ErrorCode;
using mote::ModelSpec;

ModelSpec shape(std::string_view text) {
  auto spec = mote::spec_from_shape(text);
  INFO((spec ? std::string() : spec.error().message));
  REQUIRE(spec);
  return *spec;
}

ModelSpec small_llama() { return shape("layers=3,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=100,ctx=128,name=small"); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("families are listed sorted") {
  const auto names = mote::family_names();
  REQUIRE(names.size() > 7);
  CHECK(std::adjacent_find(names.begin(), names.end(), std::greater_equal<>()) == names.end());
  CHECK(std::binary_search(names.begin(), names.end(), "llama"));
}

TEST_CASE("a printed spec says every value and equal layers once") {
  ModelSpec spec = small_llama();
  CHECK(mote::to_string(spec) ==
        "family: llama\nname: small\nd_model: 64\nn_vocab: 100\nn_ctx: 128\nembedding: n_positions=0\nlayers: 3\n"
        "layers[0..2]:\n"
        "  residual: sequential\n"
        "  norm: kind=rms, eps=1e-05, bias=no\n"
        "  attention: n_heads=4, n_kv_heads=2, head_dim=16, qkv_storage=separate, qkv_bias=no, output_bias=no, qk_norm=none, "
        "scale=0.25, "
        "rope.style=interleaved, rope.dims=16, rope.base=10000, rope.factors=none\n"
        "  ffn: kind=gated, activation=silu, d_ff=96, bias=no\n"
        "head:\n"
        "  norm: kind=rms, eps=1e-05, bias=no\n"
        "  tied: no\n"
        "  bias: no\n");
  spec.layers[1].ffn->d_ff = 128;
  spec.layers[2].attention()->rope->factors = {1, 1, 1, 1, 1.5f, 8, 8, 8};
  const std::string text = mote::to_string(spec);
  for (const char* part : {"layers[0]:\n", "layers[1]:\n", "layers[2]:\n", "d_ff=128", "rope.factors=[1 x4, 1.5, 8 x3]"}) {
    INFO(part);
    CHECK(contains(text, part));
  }
}

TEST_CASE("a diff names every value that differs and layers that differ alike once") {
  const ModelSpec a = small_llama();
  CHECK(mote::diff(a, a).empty());

  ModelSpec b = a;
  b.name = "other";
  for (auto& layer : b.layers) layer.ffn->d_ff = 128;
  b.layers[2].norm.eps = 1e-6f;
  b.head.tied = true;
  CHECK(mote::diff(a, b) ==
        "name: small -> other\n"
        "layers[0..1].ffn.d_ff: 96 -> 128\n"
        "layers[2].norm.eps: 1e-05 -> 1e-06\n"
        "layers[2].ffn.d_ff: 96 -> 128\n"
        "head.tied: no -> yes\n");

  b = a;
  b.layers.pop_back();
  b.layers[1].attention()->rope.reset();
  b.layers[1].attention()->qk_norm.emplace();
  CHECK(mote::diff(a, b) ==
        "layers: 3 -> 2\n"
        "layers[1].attention.rope.style: interleaved -> none\n"
        "layers[1].attention.rope.dims: 16 -> none\n"
        "layers[1].attention.rope.base: 10000 -> none\n"
        "layers[1].attention.qk_norm.kind: none -> rms\n"
        "layers[1].attention.qk_norm.eps: none -> 1e-05\n"
        "layers[1].attention.qk_norm.bias: none -> no\n");
}

TEST_CASE("parameters are counted as written down by hand") {
  // 100 tokens x 64 twice, norms 64 x (2 x 3 + 1), attention 64x64 + 2 x 32x64 + 64x64, ffn 3 x 64 x 96
  CHECK(mote::parameter_count(small_llama()) == 2 * 6400 + 7 * 64 + 3 * (64 * 64 * 2 + 2 * 32 * 64 + 3 * 64 * 96));
  // GPT-2, 2 layers of d 8, heads 2: embedding 10 x 8 and positions 4 x 8, five LayerNorms of 16
  CHECK(mote::parameter_count(shape("family=gpt2,layers=2,d_model=8,d_ff=32,heads=2,vocab=10,ctx=4")) ==
        80 + 32 + 5 * 16 + 2 * (8 * 24 + 24 + 8 * 8 + 8 + 8 * 32 + 32 + 32 * 8 + 8));
  // GPT-NeoX has the same layers, two norms in each, and an output matrix in place of the positions
  CHECK(mote::parameter_count(shape("family=gptneox,layers=2,d_model=8,d_ff=32,heads=2,vocab=10,rope_dims=2")) ==
        80 + 80 + 5 * 16 + 2 * (8 * 24 + 24 + 8 * 8 + 8 + 8 * 32 + 32 + 32 * 8 + 8));
}

TEST_CASE("validate names the field that makes no sense") {
  struct Case {
    const char* field;
    std::function<void(ModelSpec&)> spoil;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const Case cases[] = {
      {"family", [](ModelSpec& s) { s.family = "rwkv7"; }},
      {"family", [](ModelSpec& s) { s.family = ""; }},
      {"d_model", [](ModelSpec& s) { s.d_model = 0; }},
      {"d_model", [](ModelSpec& s) { s.d_model = -64; }},
      {"d_model", [](ModelSpec& s) { s.d_model = 1 << 30; }},
      {"n_vocab", [](ModelSpec& s) { s.n_vocab = 0; }},
      {"n_vocab", [](ModelSpec& s) { s.n_vocab = std::numeric_limits<int>::max(); }},
      {"n_ctx", [](ModelSpec& s) { s.n_ctx = 0; }},
      {"n_ctx", [](ModelSpec& s) { s.n_ctx = (1 << 24) + 1; }},
      {"embedding.n_positions", [](ModelSpec& s) { s.embedding.n_positions = 127; }},
      {"embedding.n_positions", [](ModelSpec& s) { s.embedding.n_positions = -1; }},
      {"layers", [](ModelSpec& s) { s.layers.clear(); }},
      {"layers", [](ModelSpec& s) { s.layers.resize(1025, s.layers[0]); }},
      {"layers[1].residual", [](ModelSpec& s) { s.layers[1].residual = static_cast<mote::Residual>(9); }},
      {"layers[2].norm.eps", [nan](ModelSpec& s) { s.layers[2].norm.eps = nan; }},
      {"layers[0].norm.eps", [](ModelSpec& s) { s.layers[0].norm.eps = -1e-5f; }},
      {"layers[0].norm.eps", [](ModelSpec& s) { s.layers[0].norm.eps = 0; }},
      {"layers[0].norm.eps", [infinity](ModelSpec& s) { s.layers[0].norm.eps = infinity; }},
      {"layers[0].norm.kind", [](ModelSpec& s) { s.layers[0].norm.kind = static_cast<mote::NormKind>(2); }},
      {"layers[0].norm.bias", [](ModelSpec& s) { s.layers[0].norm.bias = true; }},
      {"layers[1].attention.n_heads", [](ModelSpec& s) { s.layers[1].attention()->n_heads = 0; }},
      {"layers[1].attention.n_kv_heads", [](ModelSpec& s) { s.layers[1].attention()->n_kv_heads = 0; }},
      {"layers[1].attention.n_kv_heads", [](ModelSpec& s) { s.layers[1].attention()->n_kv_heads = 3; }},
      {"layers[1].attention.n_kv_heads", [](ModelSpec& s) { s.layers[1].attention()->n_kv_heads = 8; }},
      {"layers[1].attention.head_dim", [](ModelSpec& s) { s.layers[1].attention()->head_dim = 0; }},
      {"layers[1].attention.head_dim", [](ModelSpec& s) { s.layers[1].attention()->head_dim = 1025; }},
      {"layers[1].attention.qkv_storage",
       [](ModelSpec& s) { s.layers[1].attention()->qkv_storage = static_cast<mote::QkvStorage>(7); }},
      {"layers[1].attention.scale", [](ModelSpec& s) { s.layers[1].attention()->scale = 0; }},
      {"layers[1].attention.scale", [nan](ModelSpec& s) { s.layers[1].attention()->scale = nan; }},
      {"layers[1].attention.qk_norm.eps",
       [](ModelSpec& s) {
         s.layers[1].attention()->qk_norm = mote::NormSpec{mote::NormKind::rms, -1, false};
       }},
      {"layers[1].attention.rope.style",
       [](ModelSpec& s) { s.layers[1].attention()->rope->style = static_cast<mote::RopeStyle>(2); }},
      {"layers[1].attention.rope.dims", [](ModelSpec& s) { s.layers[1].attention()->rope->dims = 0; }},
      {"layers[1].attention.rope.dims", [](ModelSpec& s) { s.layers[1].attention()->rope->dims = 7; }},
      {"layers[1].attention.rope.dims", [](ModelSpec& s) { s.layers[1].attention()->rope->dims = 18; }},
      {"layers[1].attention.rope.base", [](ModelSpec& s) { s.layers[1].attention()->rope->base = -10000; }},
      {"layers[1].attention.rope.base", [](ModelSpec& s) { s.layers[1].attention()->rope->base = std::nan(""); }},
      {"layers[1].attention.rope.base", [](ModelSpec& s) { s.layers[1].attention()->rope->base = 0.5; }},
      {"layers[1].attention.rope.factors",
       [](ModelSpec& s) {
         s.layers[1].attention()->rope->factors = {1, 2, 3};
       }},
      {"layers[1].attention.rope.factors[7]",
       [nan](ModelSpec& s) { s.layers[1].attention()->rope->factors = {1, 1, 1, 1, 1, 1, 1, nan}; }},
      {"layers[1].attention.rope.factors[0]", [](ModelSpec& s) { s.layers[1].attention()->rope->factors.assign(8, 0.0f); }},
      {"layers[2].ffn.d_ff", [](ModelSpec& s) { s.layers[2].ffn->d_ff = 0; }},
      {"layers[2].ffn.d_ff", [](ModelSpec& s) { s.layers[2].ffn->d_ff = 1 << 21; }},
      {"layers[2].ffn.kind", [](ModelSpec& s) { s.layers[2].ffn->kind = static_cast<mote::FfnKind>(2); }},
      {"layers[2].ffn.activation", [](ModelSpec& s) { s.layers[2].ffn->activation = static_cast<mote::Activation>(99); }},
      {"head.norm.eps", [](ModelSpec& s) { s.head.norm->eps = 2; }},
  };
  REQUIRE(mote::validate(small_llama()));
  for (const Case& c : cases) {
    ModelSpec spec = small_llama();
    c.spoil(spec);
    const auto status = mote::validate(spec);
    INFO(c.field);
    REQUIRE_FALSE(status);
    INFO(status.error().message);
    CHECK(status.error().message.starts_with(std::string(c.field) + " is "));
    CHECK(contains(status.error().message, ", expected "));
    CHECK((status.error().code == ErrorCode::invalid_argument || status.error().code == ErrorCode::unsupported));
  }
}

TEST_CASE("a printed spec survives values that validate refuses") {
  ModelSpec spec;
  spec.layers.emplace_back();
  spec.layers[0].ffn->activation = static_cast<mote::Activation>(200);
  CHECK(contains(mote::to_string(spec), "activation=?"));
  CHECK_FALSE(mote::diff(spec, ModelSpec{}).empty());
}

TEST_CASE("the largest spec that validates has counts that do not overflow") {
  ModelSpec spec = small_llama();
  spec.d_model = 1 << 17;
  spec.n_vocab = spec.n_ctx = spec.embedding.n_positions = 1 << 24;
  mote::LayerSpec& layer = spec.layers[0];
  layer.ffn->d_ff = 1 << 20;
  layer.attention()->n_heads = layer.attention()->n_kv_heads = layer.attention()->head_dim = 1024;
  spec.layers.assign(1024, layer);
  REQUIRE(mote::validate(spec));
  const double d = 1 << 17, ffn = 3 * d * (1 << 20), attention = 4 * d * (1 << 20);
  CHECK(static_cast<double>(mote::parameter_count(spec)) == Approx(3 * d * (1 << 24) + 1024 * (ffn + attention)).epsilon(1e-6));
}

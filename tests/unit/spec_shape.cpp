#include "tests/catch.h"

#include <cmath>
#include <numbers>
#include <string>

#include "lib/spec/names.h"
#include "mote/spec.h"

namespace {

using namespace mote;

constexpr const char* kSizes = "layers=2,d_model=64,d_ff=96,heads=4,vocab=100";

ModelSpec shape(const std::string& text) {
  auto spec = spec_from_shape(text);
  INFO(text << ": " << (spec ? std::string() : spec.error().message));
  REQUIRE(spec);
  return *spec;
}

std::string error_of(const std::string& text) {
  const auto spec = spec_from_shape(text);
  INFO(text);
  REQUIRE_FALSE(spec);
  CHECK(spec.error().code == ErrorCode::invalid_argument);
  return spec.error().message;
}

std::string with(const std::string& more) { return std::string(kSizes) + "," + more; }

} // namespace

TEST_CASE("a shape of sizes alone is a llama") {
  const ModelSpec spec = shape(kSizes);
  CHECK(spec.family == "llama");
  CHECK(spec.name == kSizes);
  CHECK(spec.d_model == 64);
  CHECK(spec.n_vocab == 100);
  CHECK(spec.n_ctx == 2048);
  CHECK(spec.embedding.n_positions == 0);
  REQUIRE(spec.layers.size() == 2);
  CHECK(spec.layers[0] == spec.layers[1]);
  const LayerSpec& layer = spec.layers[0];
  CHECK(layer.residual == Residual::sequential);
  CHECK(layer.norm == NormSpec{NormKind::rms, 1e-5f, false});
  CHECK(layer.attention()->n_kv_heads == 4);
  CHECK(layer.attention()->head_dim == 16);
  CHECK(layer.attention()->scale == 0.25f);
  CHECK(layer.attention()->rope == RopeSpec{RopeStyle::interleaved, 16, 10000.0, {}});
  CHECK_FALSE(layer.attention()->qkv_bias);
  CHECK_FALSE(layer.attention()->qk_norm);
  CHECK(layer.ffn == FfnSpec{FfnKind::gated, Activation::silu, 96, false});
  CHECK(spec.head == HeadSpec{layer.norm, false, false});
}

TEST_CASE("families bring their own defaults") {
  const ModelSpec qwen2 = shape(with("family=qwen2"));
  CHECK(qwen2.layers[0].attention()->qkv_bias);
  CHECK(qwen2.layers[0].attention()->rope->style == RopeStyle::halves);
  CHECK(qwen2.head.norm->eps == 1e-6f);

  const ModelSpec qwen3 = shape(with("family=qwen3,head_dim=32"));
  CHECK(qwen3.layers[0].attention()->qk_norm == NormSpec{NormKind::rms, 1e-6f, false});
  CHECK(qwen3.layers[0].attention()->head_dim == 32);
  CHECK(qwen3.layers[0].attention()->rope->dims == 32);

  const ModelSpec gpt2 = shape(with("family=gpt2,ctx=50"));
  CHECK(gpt2.embedding.n_positions == 50);
  CHECK_FALSE(gpt2.layers[0].attention()->rope);
  CHECK(gpt2.layers[0].norm == NormSpec{NormKind::layer, 1e-5f, true});
  CHECK(gpt2.layers[0].attention()->qkv_storage == QkvStorage::fused);
  CHECK(gpt2.layers[0].attention()->output_bias);
  CHECK(gpt2.layers[0].ffn == FfnSpec{FfnKind::standard, Activation::gelu_tanh, 96, true});
  CHECK(gpt2.head == HeadSpec{gpt2.layers[0].norm, true, false});

  const ModelSpec phi2 = shape("family=phi2,layers=2,d_model=160,d_ff=96,heads=2,vocab=100");
  CHECK(phi2.layers[0].residual == Residual::parallel_shared);
  CHECK(phi2.layers[0].attention()->rope == RopeSpec{RopeStyle::halves, 32, 10000.0, {}});
  CHECK(phi2.head.bias);
  const ModelSpec gptneox = shape("family=gptneox,layers=2,d_model=160,d_ff=96,heads=2,vocab=100");
  CHECK(gptneox.layers[0].residual == Residual::parallel);
  CHECK(gptneox.layers[0].norm == NormSpec{NormKind::layer, 1e-5f, true});
  CHECK(gptneox.layers[0].ffn->activation == Activation::gelu_erf);
  CHECK_FALSE(gptneox.head.bias);
  CHECK(shape("family=gptneox,layers=2,d_model=160,d_ff=96,heads=2,vocab=100,residual=sequential").layers[1].residual ==
        Residual::sequential);
  CHECK(shape(with("family=phi2")).layers[0].attention()->rope->dims == 16); // heads smaller than what the family rotates
}

TEST_CASE("every key of a shape has its effect") {
  const ModelSpec spec = shape(
      "family=llama, layers=1 "
      ",d_model=48,d_ff=20,heads=6,kv_heads=2,head_dim=24,vocab=77,ctx=99,positions=128,tied=true,residual=parallel_shared,"
      "norm=layer,norm_eps=0.001,norm_bias=0,ffn=standard,activation=relu,ffn_bias=1,qkv=fused,qkv_bias=1,qk_norm=1,output_bias="
      "1,"
      "head_bias=1,rope_style=halves,rope_dims=8,rope_base=500,rope_scaling=linear:4,name=odd");
  ModelSpec expected;
  expected.family = "llama";
  expected.name = "odd";
  expected.d_model = 48;
  expected.n_vocab = 77;
  expected.n_ctx = 99;
  expected.embedding.n_positions = 128;
  LayerSpec layer;
  layer.residual = Residual::parallel_shared;
  layer.norm = {NormKind::layer, 0.001f, false};
  AttentionSpec& attention = *layer.attention();
  attention.n_heads = 6;
  attention.n_kv_heads = 2;
  attention.head_dim = 24;
  attention.qkv_storage = QkvStorage::fused;
  attention.qkv_bias = attention.output_bias = true;
  attention.qk_norm = NormSpec{NormKind::layer, 0.001f, false};
  attention.scale = static_cast<float>(1 / std::sqrt(24.0));
  attention.rope = RopeSpec{RopeStyle::halves, 8, 500.0, {4, 4, 4, 4}};
  layer.ffn = {FfnKind::standard, Activation::relu, 20, true};
  expected.layers = {layer};
  expected.head = {layer.norm, true, true};
  CHECK(diff(expected, spec) == "");
  CHECK(expected == spec);
}

TEST_CASE("a base gives what the shape leaves out, and sizes derived from it follow") {
  const ModelSpec base = *spec_from_preset("llama-3.2-1b");
  ModelSpec same = shape("base=llama-3.2-1b");
  CHECK(same == base);
  CHECK(same.name == "llama-3.2-1b");

  const ModelSpec narrow = shape("base=llama-3.2-1b,d_model=1024,layers=4,rope_scaling=none");
  CHECK(narrow.name == "base=llama-3.2-1b,d_model=1024,layers=4,rope_scaling=none");
  CHECK(narrow.layers.size() == 4);
  CHECK(narrow.layers[0].attention()->head_dim == 32); // 32 heads share d_model
  CHECK(narrow.layers[0].attention()->n_kv_heads == 8);
  CHECK(narrow.layers[0].attention()->rope == RopeSpec{RopeStyle::interleaved, 32, 500000.0, {}});
  CHECK(narrow.head.tied);
  CHECK(shape("layers=4,base=llama-3.2-1b").layers.size() == 4);
  CHECK(shape("base=cerebras-gpt-111m,ctx=100").embedding.n_positions == 100);
}

TEST_CASE("positions can come from nowhere") {
  const ModelSpec spec = shape(with("rope_style=none"));
  CHECK_FALSE(spec.layers[0].attention()->rope);
  CHECK(spec.embedding.n_positions == 0);
  CHECK(shape(with("family=gpt2,rope_style=halves,positions=0")).layers[0].attention()->rope->dims == 16);
}

TEST_CASE("llama3 scaling has the divisors of the published rule") {
  const ModelSpec spec = *spec_from_preset("llama-3.2-1b");
  const RopeSpec& rope = *spec.layers[0].attention()->rope;
  REQUIRE(rope.factors.size() == 32);
  for (int i = 0; i < 32; ++i) {
    const double frequency = std::pow(500000.0, -2.0 * i / 64), wavelength = 2 * std::numbers::pi / frequency;
    double expected = 1;
    if (wavelength > 8192.0) {
      expected = 32;
    } else if (wavelength >= 8192.0 / 4) {
      const double s = (8192 / wavelength - 1) / 3;
      expected = frequency / ((1 - s) * frequency / 32 + s * frequency);
    }
    INFO(i);
    CHECK(rope.factors[static_cast<std::size_t>(i)] == Approx(expected).epsilon(1e-6));
  }
  CHECK(rope.factors[14] == 1.0f); // wavelength 1955
  CHECK(rope.factors[15] > 1.0f);
  CHECK(rope.factors[17] < 32.0f); // 6694
  CHECK(rope.factors[18] == 32.0f);
}

TEST_CASE("a wrong shape is answered with the key, what was found and what is allowed") {
  struct Case {
    std::string text, message;
  };
  std::string families;
  for (const std::string_view name : family_names()) families += (families.empty() ? "" : ", ") + std::string(name);
  const Case cases[] = {
      {"", "the shape is empty, expected key=value,key=value"},
      {"  ", "the shape is empty, expected key=value,key=value"},
      {",", "shape: found \"\", expected key=value"},
      {with(""), "shape: found \"\", expected key=value"},
      {"layers", "shape: found \"layers\", expected key=value"},
      {with("layers=3"), "shape key \"layers\" is given twice"},
      {"layers=2", "shape key \"d_model\": missing, expected an integer from 1 to 131072"},
      {"d_model=64,layers=x,d_ff=96,heads=4,vocab=100", "shape key \"layers\": found \"x\", expected an integer from 1 to 1024"},
      {"d_model=64,layers=,d_ff=96,heads=4,vocab=100", "shape key \"layers\": found \"\", expected an integer from 1 to 1024"},
      {"d_model=64,layers=0,d_ff=96,heads=4,vocab=100", "shape key \"layers\": found \"0\", expected an integer from 1 to 1024"},
      {"d_model=64,layers=4294967297,d_ff=96,heads=4,vocab=100",
       "shape key \"layers\": found \"4294967297\", expected an integer from 1 to 1024"},
      {"d_model=64,layers=2.5,d_ff=96,heads=4,vocab=100",
       "shape key \"layers\": found \"2.5\", expected an integer from 1 to 1024"},
      {"d_model=64,layers=2,d_ff=96,heads=5,vocab=100",
       "shape key \"heads\": found \"5\", expected a divisor of d_model=64, or head_dim"},
      {with("kv_heads=3"), "shape key \"kv_heads\": found \"3\", expected a divisor of heads=4"},
      {with("kv_heads=0"), "shape key \"kv_heads\": found \"0\", expected an integer from 1 to 1024"},
      {with("head_dim=-8"), "shape key \"head_dim\": found \"-8\", expected an integer from 1 to 1024"},
      {with("activation=swish"),
       "shape key \"activation\": found \"swish\", expected one of silu, gelu_tanh, gelu_erf, relu, relu_squared"},
      {with("ffn=moe"), "shape key \"ffn\": found \"moe\", expected one of gated, standard"},
      {with("norm=batch"), "shape key \"norm\": found \"batch\", expected one of rms, layer"},
      {with("norm_eps=-1"), "shape key \"norm_eps\": found \"-1\", expected a number from 1e-20 to 1"},
      {with("norm_eps=nan"), "shape key \"norm_eps\": found \"nan\", expected a number from 1e-20 to 1"},
      {with("tied=yes"), "shape key \"tied\": found \"yes\", expected 0, 1, false or true"},
      {with("residual=post"), "shape key \"residual\": found \"post\", expected one of sequential, parallel, parallel_shared"},
      {with("qkv=split"), "shape key \"qkv\": found \"split\", expected one of separate, fused"},
      {with("rope_style=neox"), "shape key \"rope_style\": found \"neox\", expected one of interleaved, halves, none"},
      {with("rope_dims=17"), "shape key \"rope_dims\": found \"17\", expected an integer from 2 to 16"},
      {with("rope_dims=7"), "layers[0].attention.rope.dims is 7, expected an even number from 2 to head_dim 16"},
      {with("rope_base=0"), "shape key \"rope_base\": found \"0\", expected a number from 1 to 1e+30"},
      {with("rope_style=none,rope_base=5"),
       "shape key \"rope_base\": found \"5\", expected no such key where there is no rope: set rope_style"},
      {with("family=gpt2,rope_dims=8"),
       "shape key \"rope_dims\": found \"8\", expected no such key where there is no rope: set rope_style"},
      {with("ctx=100,positions=50"), "shape key \"positions\": found \"50\", expected 0, or ctx=100 and more"},
      {with("norm_bias=1"), "layers[0].norm.bias is true, expected false for a norm of kind rms"},
      {with("family=rwkv7"), "shape key \"family\": found \"rwkv7\", expected one of " + families},
      {with("family=mamba"), "shape key \"heads\": found \"4\", expected no such key in a family without attention"},
      {"family=mamba,layers=2,d_model=64,vocab=100,d_ff=96",
       "shape key \"d_ff\": found \"96\", expected no such key in a family without FFNs"},
      {with("d_state=4"), "shape key \"d_state\": found \"4\", expected no such key in a family that has attention only"},
      {"family=mamba,layers=2,d_model=64,vocab=100,d_state=0",
       "shape key \"d_state\": found \"0\", expected an integer from 1 to 4096"},
      {"family=mamba2,layers=2,d_model=64,vocab=100", "shape key \"ssm_heads\": missing, expected an integer from 1 to 1024"},
      {"family=mamba2,layers=2,d_model=64,vocab=100,ssm_heads=3",
       "shape key \"ssm_heads\": found \"3\", expected a divisor of 128, the inner size"},
      {with("qkv_rank=4"), "shape key \"qkv_rank\": found \"4\", expected no such key in a family without shared blocks"},
      {with("family=lfm2"), "shape key \"attention_layers\": missing, expected integers from 0 to 1, with colons between them"},
      {with("family=lfm2,attention_layers=0:2"),
       "shape key \"attention_layers\": found \"0:2\", expected integers from 0 to 1, with colons between them"},
      {with("experts=4"), "shape key \"experts_used\": missing, expected an integer from 1 to 4"},
      {with("experts=4,experts_used=5"), "shape key \"experts_used\": found \"5\", expected an integer from 1 to 4"},
      {with("router=softmax"),
       "shape key \"router\": found \"softmax\", expected no such key where there are no experts: set experts"},
      {with("experts=4,experts_used=2,router=best"),
       "shape key \"router\": found \"best\", expected one of softmax, softmax_of_used, sparse_mixer"},
      {with("experts=4,experts_used=2,ffn_bias=1"), "layers[0].ffn.bias is true, expected false where there are experts"},
      {"base=qwen2-0.5b,family=llama", "shape keys \"base\" and \"family\" exclude each other"},
      {"base=qwen2-0.5", "unknown preset \"qwen2-0.5\"; nearest: qwen2-0.5b, qwen2-1.5b, qwen2.5-0.5b"},
  };
  for (const Case& c : cases) {
    const auto spec = spec_from_shape(c.text);
    INFO(c.text);
    REQUIRE_FALSE(spec);
    CHECK(spec.error().message == c.message);
  }
  for (const char* scaling : {"yarn:4", "linear", "linear:", "linear:0", "linear:x", "linear:4:4", "linear:nan", "llama3:32:1:4",
                              "llama3:32:4:1:8192", "llama3:32:1:4:8192:1", "llama3:32:1:4:", ":", ""}) {
    CHECK(error_of(with(std::string("rope_scaling=") + scaling)) ==
          "shape key \"rope_scaling\": found \"" + std::string(scaling) +
              "\", expected none, linear:FACTOR or llama3:FACTOR:LOW_FREQ_FACTOR:HIGH_FREQ_FACTOR:ORIGINAL_CTX");
  }
}

TEST_CASE("heads and widths are one number or one for each layer") {
  const ModelSpec spec = shape("family=openelm,layers=2,d_model=64,head_dim=16,vocab=100,heads=4:6:8,kv_heads=2,d_ff=96:128");
  CHECK(spec.layers[0].attention()->n_heads == 4);
  CHECK(spec.layers[1].attention()->n_heads == 6);
  CHECK(spec.layers[1].attention()->n_kv_heads == 2);
  CHECK(spec.layers[1].ffn->d_ff == 128);
  const std::string base = "layers=3,d_model=64,head_dim=16,vocab=100,kv_heads=2,";
  const std::pair<const char*, const char*> wrong[] = {
      {"heads=4:6,d_ff=96", "shape key \"heads\": found \"4:6\", expected one number, or one for each of the 3 layers"},
      {"heads=4:5:6,d_ff=96", "shape key \"kv_heads\": found \"2\", expected a divisor of heads=5"},
      {"heads=4,d_ff=96:1:",
       "shape key \"d_ff\": found \"96:1:\", expected integers from 1 to 1048576, with colons between them"},
      {"heads=4:x:4,d_ff=9", "shape key \"heads\": found \"4:x:4\", expected integers from 1 to 1024, with colons between them"},
  };
  for (const auto& [text, message] : wrong) {
    const auto found = spec_from_shape(base + text);
    REQUIRE_FALSE(found);
    CHECK(found.error().message == message);
  }
}

TEST_CASE("layers may be run again and share an FFN") {
  const std::string base = "layers=2,d_model=64,d_ff=96,heads=4,vocab=100,";
  const auto from = [](const ModelSpec& spec) {
    std::vector<std::pair<int, int>> all;
    for (const LayerSpec& layer : spec.layers) all.emplace_back(layer.mixer_from, layer.ffn_from);
    return all;
  };
  using Pairs = std::vector<std::pair<int, int>>;
  CHECK(from(shape(base + "repeat=2")) == Pairs{{-1, -1}, {0, 0}, {-1, -1}, {2, 2}});
  CHECK(from(shape(base + "shared_ffn=1")) == Pairs{{-1, -1}, {-1, 0}});
  CHECK(from(shape(base + "repeat=2,shared_ffn=1")) == Pairs{{-1, -1}, {0, 0}, {-1, 0}, {2, 0}});
  CHECK(parameter_count(shape(base + "repeat=2")) == parameter_count(shape(base + "tied=0")));
  CHECK_FALSE(spec_from_shape(base + "repeat=513"));
}

TEST_CASE("families place norms, projections and positions as their models do") {
  const ModelSpec opt = shape("family=opt,layers=1,d_model=64,d_ff=96,heads=4,vocab=100,ctx=50");
  CHECK(opt.embedding.n_positions == 52);
  CHECK(opt.embedding.first_position == 2);
  const ModelSpec post =
      shape("family=opt,layers=1,d_model=64,d_ff=96,heads=4,vocab=100,ctx=50,d_embedding=24,placement=post,final_norm=0");
  CHECK(post.embedding.d_embedding == 24);
  CHECK(post.layers[0].placement == NormPlacement::post);
  CHECK_FALSE(post.head.norm);
  CHECK(parameter_count(opt) - parameter_count(post) == 100 * (64 - 24) - 2 * 24 * 64 + 2 * 64);
  const auto few = spec_from_shape("family=opt,layers=1,d_model=64,d_ff=96,heads=4,vocab=100,ctx=50,positions=51");
  REQUIRE_FALSE(few);
  CHECK(few.error().message == "shape key \"positions\": found \"51\", expected 0, or ctx=50 + 2 and more");

  const ModelSpec olmo = shape("family=olmo,layers=1,d_model=64,d_ff=96,heads=4,vocab=100,clamp=8");
  CHECK_FALSE(olmo.layers[0].norm.weight);
  CHECK_FALSE(olmo.layers[0].norm.bias);
  CHECK(olmo.layers[0].attention()->clamp == 8);
  const ModelSpec bloom = shape("family=bloom,layers=1,d_model=64,d_ff=96,heads=4,vocab=100,norm_eps=0.001");
  CHECK(bloom.embedding.norm->eps == 0.001f);
  CHECK(bloom.layers[0].attention()->alibi_max_bias == 8);
  const ModelSpec openlm = shape("family=openlm,layers=1,d_model=64,d_ff=96,heads=4,vocab=100");
  CHECK(openlm.layers[0].attention()->qk_norm_scope == QkNormScope::projection);
  CHECK(openlm.layers[0].ffn->gate_storage == GateStorage::fused);
}

TEST_CASE("an unknown key of a shape is answered with the list of keys") {
  const std::string message = error_of(with("n_experts=8"));
  CHECK(message.starts_with("unknown shape key \"n_experts\"; the keys are base, family, name, layers, d_model"));
  CHECK(message.find("rope_scaling") != std::string::npos);
  CHECK(error_of(with("=8")).starts_with("unknown shape key \"\""));
  const std::string nasty = error_of(with(std::string(10000, 'x') + "\n=8"));
  CHECK(nasty.size() < 1000);
  CHECK(nasty.find('\n') == std::string::npos);
}

TEST_CASE("whatever a shape says, the answer is a valid spec or an error of one line") {
  const std::string_view words[] = {"base",
                                    "family",
                                    "layers",
                                    "d_model",
                                    "d_ff",
                                    "heads",
                                    "kv_heads",
                                    "head_dim",
                                    "vocab",
                                    "ctx",
                                    "positions",
                                    "tied",
                                    "norm_eps",
                                    "norm",
                                    "ffn",
                                    "activation",
                                    "qkv",
                                    "qk_norm",
                                    "rope_style",
                                    "rope_dims",
                                    "rope_base",
                                    "rope_scaling",
                                    "=",
                                    "=",
                                    "=",
                                    "=",
                                    "=",
                                    "=",
                                    ",",
                                    ",",
                                    ",",
                                    ",",
                                    ",",
                                    ",",
                                    "llama",
                                    "gpt2",
                                    "qwen2-0.5b",
                                    "1",
                                    "2",
                                    "4",
                                    "64",
                                    "-1",
                                    "0",
                                    "1e9",
                                    "nan",
                                    "inf",
                                    "99999999999999999999",
                                    "linear:2",
                                    "llama3:8:1:4:100",
                                    ":",
                                    " ",
                                    "none",
                                    "halves",
                                    "rms",
                                    std::string_view("\0\n\xff", 3)};
  std::uint64_t state = 1;
  const auto draw = [&](std::size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % n;
  };
  int n_valid = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = draw(2) == 0 ? "base=ablation-17," : "layers=1,d_model=64,d_ff=8,heads=4,vocab=9,";
    if (draw(8) == 0) text.clear();
    for (std::size_t n = 3 * (1 + draw(3)); n > 0; --n) {
      if (n % 3 == 0) text += words[draw(22)];
      else if (n % 3 == 2) text += draw(20) == 0 ? words[draw(std::size(words))] : "=";
      else text += std::string(words[34 + draw(std::size(words) - 34)]) + (n > 1 ? "," : "");
    }
    const auto spec = spec_from_shape(text);
    INFO(text);
    if (spec) {
      ++n_valid;
      REQUIRE(validate(*spec));
      REQUIRE_FALSE(to_string(*spec).empty());
    } else {
      REQUIRE(spec.error().code != ErrorCode::bad_file);
      REQUIRE(spec.error().message.find('\n') == std::string::npos);
    }
  }
  CHECK(n_valid > 50);
}

TEST_CASE("shapes of recurrent models have the sizes of their families where they say nothing") {
  const ModelSpec mamba = shape("family=mamba,layers=2,d_model=100,vocab=70");
  CHECK(mamba.layers[1].mixer == MixerSpec(MambaSpec{200, 16, 7, 4, false}));
  CHECK_FALSE(mamba.layers[1].ffn);
  CHECK(mamba.head.tied);
  const ModelSpec mamba2 = shape("family=mamba2,layers=1,d_model=100,vocab=70,ssm_heads=8");
  CHECK(mamba2.layers[0].mixer == MixerSpec(Mamba2Spec{8, 25, 128, 1, 4}));
  const ModelSpec lfm2 = shape("family=lfm2,layers=4,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=70,attention_layers=1:2");
  CHECK(lfm2.layers[0].mixer == MixerSpec(ShortConvSpec{3}));
  CHECK(lfm2.layers[1].attention()->n_kv_heads == 2);
  CHECK(lfm2.layers[2] == lfm2.layers[1]);
  CHECK(lfm2.layers[3] == lfm2.layers[0]);
  CHECK(lfm2.layers[3].ffn->d_ff == 96);
}

TEST_CASE("recurrent mixers are printed and compared value by value") {
  const ModelSpec mamba = shape("family=mamba,layers=1,d_model=64,vocab=70"),
                  mamba2 = shape("family=mamba2,layers=1,d_model=64,vocab=70,ssm_heads=8");
  CHECK(to_string(mamba).find("  mamba: d_inner=128, d_state=16, dt_rank=4, d_conv=4, dt_b_c_norms=no\n  ffn: none\n") !=
        std::string::npos);
  CHECK(to_string(mamba2).find("  mamba2: n_heads=8, head_dim=16, d_state=128, n_groups=1, d_conv=4\n") != std::string::npos);
  ModelSpec other = mamba;
  other.layers[0].mixer_as<MambaSpec>()->d_state = 8;
  CHECK(diff(mamba, other) == "layers[0].mamba.d_state: 16 -> 8\n");
  other.layers[0].mixer = ShortConvSpec{0};
  CHECK(diff(mamba, other).find("layers[0].short_conv.d_conv: none -> 0\n") != std::string::npos);
  CHECK(validate(other).error().message == "layers[0].short_conv.d_conv is 0, expected 1 to 64");
  other = mamba2;
  other.layers[0].mixer_as<Mamba2Spec>()->n_groups = 3;
  CHECK(validate(other).error().message == "layers[0].mamba2.n_groups is 3, expected a divisor of n_heads 8");
}

TEST_CASE("layers with a shared block take it in turn and have half of its head's width as scale") {
  const ModelSpec spec =
      shape("family=zamba2,layers=6,d_model=96,ssm_heads=6,d_ff=160,heads=4,attention_layers=1:2:3:5,shared_blocks=2,vocab=70");
  CHECK_FALSE(spec.layers[0].block);
  CHECK_FALSE(spec.layers[0].attention());
  REQUIRE(spec.layers[1].block);
  CHECK(spec.layers[1].block->attention.head_dim == 48);
  CHECK(spec.layers[1].attention()->scale == static_cast<float>(1 / std::sqrt(24.0)));
  CHECK_FALSE(spec.layers[1].attention()->rope);
  CHECK(spec.layers[1].block->ffn.d_ff == 160);
  CHECK(spec.layers[1].block->from == -1);
  CHECK(spec.layers[2].block->from == -1);
  CHECK(spec.layers[3].block->from == 1);
  CHECK(spec.layers[5].block->from == 2);
  CHECK(spec.layers[5].mixer == spec.layers[0].mixer);
  CHECK(is_recurrent(spec));
  const std::string text = to_string(spec);
  CHECK(text.find("  block: attention.n_heads=4, ") != std::string::npos);
  CHECK(text.find(", qkv_rank=0, ffn_rank=128, from=1\n  mamba2: ") != std::string::npos);
  const auto error_of = [&](void (*change)(LayerSpec&)) {
    ModelSpec other = spec;
    change(other.layers[3]);
    const Status status = validate(other);
    REQUIRE_FALSE(status);
    return status.error().message;
  };
  const std::string from = ", expected a layer of the same norms, attention and FFN that has a block of its own";
  CHECK(error_of([](LayerSpec& layer) { layer.block->from = 0; }) == "layers[3].block.from is 0" + from);
  CHECK(error_of([](LayerSpec& layer) { layer.block->ffn.d_ff = 161; }) == "layers[3].block.from is 1" + from);
  CHECK(error_of([](LayerSpec& layer) { layer.block->from = 3; }) == "layers[3].block.from is 3, expected 0 to 2");
  CHECK(error_of([](LayerSpec& layer) { layer.block->ffn_rank = -1; }) == "layers[3].block.ffn_rank is -1, expected 0 to 131072");
  CHECK(
      error_of([](LayerSpec& layer) { layer.block->attention.head_dim = 0; }).starts_with("layers[3].block.attention.head_dim"));
  CHECK(error_of([](LayerSpec& layer) { layer.block->ffn.experts = ExpertsSpec{3, 2}; }).starts_with("layers[3].block.ffn.n_ex"));
  CHECK(error_of([](LayerSpec& layer) { layer.mixer_from = 0; }) ==
        "layers[3].block is there, expected none where the mixer is another layer's");
  CHECK(error_of([](LayerSpec& layer) { layer.ffn = FfnSpec{}; }) ==
        "layers[3].block is there, expected none where the layer has an ffn");
  CHECK(error_of([](LayerSpec& layer) { layer.mixer = layer.block->attention; }) ==
        "layers[3].block is there, expected none where the mixer is attention");
  CHECK(error_of([](LayerSpec& layer) { layer.placement = NormPlacement::post; }) ==
        "layers[3].block is there, expected none where the placement is not pre");
}

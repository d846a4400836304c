// A random model that was saved is, opened again, the same model.
#include "mote/quantize.h"
#include "mote/tokenizer.h"
#include "tests/property/models.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;

namespace {

constexpr std::uint64_t kSeed = 7; // that of make_model

Model save_and_open(const ModelSpec& spec, Mix mix, int n_threads) {
  const TempDir folder;
  QuantizeOptions options;
  options.mix = mix;
  options.n_threads = n_threads;
  const Status saved = save_random_model(spec, kSeed, folder.file("model.gguf"), options);
  if (!saved) FAIL(saved.error().message);
  CHECK(folder.count() == 1);
  ModelOptions open;
  open.isa = Isa::scalar;
  open.n_threads = 1;
  auto model = Model::open(folder.file("model.gguf"), open);
  if (!model) FAIL(model.error().message);
  return *std::move(model);
}

} // namespace

TEST_CASE("a saved random model has the spec and the logits of the model that was never in a file") {
  const char* const shapes[] = {
      "family=llama,layers=2,d_model=256,d_ff=2046,heads=6,kv_heads=2,head_dim=28,vocab=259,ctx=600",
      "family=llama,layers=2,d_model=288,d_ff=512,heads=4,kv_heads=1,head_dim=120,vocab=101,tied=1,rope_scaling=linear:3",
      "family=llama,layers=2,d_model=256,d_ff=256,heads=4,vocab=300,rope_base=500000,rope_scaling=llama3:32:1:4:8192",
      "family=qwen2,layers=2,d_model=96,d_ff=160,heads=3,kv_heads=3,head_dim=36,vocab=67,ctx=600,tied=1",
      "family=qwen3,layers=2,d_model=512,d_ff=768,heads=8,kv_heads=4,head_dim=44,vocab=1000,norm_eps=1e-7",
      "family=gpt2,layers=2,d_model=80,d_ff=320,heads=1,head_dim=80,vocab=77,ctx=600",
      "family=phi2,layers=2,d_model=256,d_ff=1024,heads=4,head_dim=64,rope_dims=22,vocab=33,ctx=600",
      "family=gptneox,layers=2,d_model=222,d_ff=612,heads=6,head_dim=37,rope_dims=10,vocab=45,ctx=600",
      "family=gptneox,layers=2,d_model=256,d_ff=1024,heads=4,head_dim=64,rope_dims=18,vocab=43,residual=sequential",
      "family=stablelm,layers=2,d_model=222,d_ff=420,heads=6,kv_heads=2,head_dim=37,rope_dims=10,vocab=47,ctx=600,qkv_bias=1",
      "family=llama,layers=2,d_model=160,d_ff=230,heads=5,kv_heads=1,vocab=53,experts=7,experts_used=3,router=softmax",
      "family=qwen2moe,layers=2,d_model=256,d_ff=96,heads=4,vocab=49,experts=37,experts_used=5,shared_d_ff=200",
      "family=gemma,layers=2,d_model=256,d_ff=512,heads=4,kv_heads=1,vocab=49",
      "family=gemma2,layers=3,d_model=256,d_ff=420,heads=6,kv_heads=2,head_dim=40,vocab=53,window=37,full_every=2,"
      "attention_softcap=2,logit_softcap=3",
      "family=gemma2,layers=3,d_model=256,d_ff=420,heads=6,kv_heads=2,head_dim=40,vocab=53,window=37,full_every=3",
      "family=gemma3,layers=7,d_model=224,d_ff=512,heads=4,kv_heads=1,head_dim=28,vocab=57,window=30,full_every=6,"
      "rope_base_local=500,rope_scaling=linear:8",
      "family=granite,layers=2,d_model=256,d_ff=420,heads=4,vocab=59,embedding_scale=6,residual_scale=0.375,"
      "attention_scale=0.125,logit_scale=0.25",
      "family=minicpm,layers=2,d_model=256,d_ff=420,heads=4,vocab=59,residual_scale=0.5,logit_scale=0.16666667",
      "family=olmo2,layers=2,d_model=160,d_ff=320,heads=5,vocab=61",
      "family=phi3,layers=2,d_model=256,d_ff=330,heads=4,kv_heads=2,vocab=63,rope_dims=48,window=41",
      "family=smollm3,layers=4,d_model=192,d_ff=330,heads=6,kv_heads=2,vocab=65,nope_every=4",
      "family=llama,layers=2,d_model=256,d_ff=420,heads=4,vocab=66,window=50",
      "family=deepseek2,layers=3,d_model=96,d_ff=40,heads=3,head_dim=44,rope_dims=12,kv_rank=64,v_dim=24,vocab=57,"
      "experts=6,experts_used=2,shared_d_ff=64,dense_layers=0,dense_d_ff=100",
      "family=minicpm3,layers=2,d_model=128,d_ff=160,heads=5,head_dim=80,rope_dims=16,q_rank=96,kv_rank=256,v_dim=32,vocab=61",
      "family=olmoe,layers=2,d_model=96,d_ff=72,heads=3,vocab=51,experts=5,experts_used=2",
      "family=granitemoe,layers=2,d_model=96,d_ff=72,heads=3,vocab=51,experts=5,experts_used=2",
      "family=phimoe,layers=2,d_model=96,d_ff=72,heads=3,kv_heads=1,vocab=51,experts=18,experts_used=2",
      "family=stablelm,layers=2,d_model=222,d_ff=260,heads=6,kv_heads=3,vocab=43,rope_dims=10,residual=parallel_shared,qk_norm=1,"
      "qk_norm_scope=each_head",
      "family=stablelm,layers=2,d_model=256,d_ff=512,heads=4,rope_dims=18,vocab=41",
      "family=mamba,layers=2,d_model=222,d_inner=430,d_state=5,dt_rank=15,d_conv=3,vocab=51",
      "family=mamba2,layers=2,d_model=192,d_inner=420,ssm_heads=6,d_state=9,ssm_groups=3,d_conv=3,vocab=55,tied=0",
      "family=lfm2,layers=4,d_model=222,d_ff=420,heads=6,kv_heads=2,head_dim=38,attention_layers=1:3,vocab=57,ctx=600",
      "family=recurrentgemma,layers=3,d_model=192,d_inner=198,rglru_blocks=3,d_ff=420,heads=4,kv_heads=1,head_dim=36,rope_dims="
      "18,"
      "attention_layers=1,window=9,vocab=59",
      "family=jamba,layers=4,d_model=96,d_inner=170,d_state=9,dt_rank=32,d_ff=160,heads=3,kv_heads=1,head_dim=36,attention_"
      "layers=2,"
      "dense_layers=0:2,experts=5,experts_used=2,vocab=61",
      "family=granitehybrid,name=hybrid,layers=3,d_model=96,d_inner=180,ssm_heads=6,ssm_groups=2,d_state=9,d_ff=70,heads=3,kv_"
      "heads=1,head_"
      "dim=36,"
      "attention_layers=1,experts=5,experts_used=3,shared_d_ff=90,vocab=63,residual_scale=0.6,logit_scale=0.5,embedding_scale=3",
      "family=llama,layers=1,d_model=64,d_ff=96,heads=4,vocab=30,activation=relu",
      "family=bloom,layers=2,d_model=222,d_ff=420,heads=6,head_dim=37,vocab=45",
      "family=opt,layers=2,d_model=120,d_ff=333,heads=3,vocab=61,ctx=99,activation=gelu_erf",
      "family=opt,layers=2,d_model=256,d_ff=512,heads=4,vocab=61,d_embedding=96,placement=post,final_norm=0",
      "family=nemotron,layers=2,d_model=256,d_ff=288,heads=6,kv_heads=2,head_dim=44,rope_dims=22,vocab=63",
      "family=olmo,layers=2,d_model=256,d_ff=300,heads=4,kv_heads=2,vocab=63,clamp=0.75,tied=1",
      "family=llama,layers=2,d_model=222,d_ff=420,heads=6,kv_heads=2,head_dim=38,vocab=59,repeat=2,tied=1",
      "family=llama,layers=3,d_model=96,d_ff=333,heads=3,vocab=59,shared_ffn=1,repeat=2",
      "family=openelm,layers=3,d_model=250,d_ff=96:256:420,heads=3:6:12,kv_heads=3:2:4,head_dim=36,vocab=63",
      "family=openlm,layers=2,d_model=256,d_ff=300,heads=4,vocab=63",
      "family=qwen,layers=2,d_model=222,d_ff=420,heads=6,head_dim=38,vocab=63",
      "family=zamba2,name=blocks,layers=4,d_model=96,d_inner=180,ssm_heads=6,ssm_groups=2,d_state=9,d_ff=330,heads=3,kv_heads=1,"
      "head_dim=52,"
      "attention_layers=0:2:3,shared_blocks=2,qkv_rank=32,ffn_rank=64,rope_style=halves,vocab=63,ctx=600",
      "family=zamba2,layers=3,d_model=128,ssm_heads=4,d_ff=256,heads=4,attention_layers=1:2,ffn_rank=9,vocab=61,ctx=600",
  };
  int n_threads = 0;
  for (const char* const shape : shapes)
    for (const Mix mix : {Mix::Q4_K_M, Mix::Q8_0, Mix::F16}) {
      CAPTURE(shape, mix_name(mix));
      const Model made = make_model(shape, mix);
      const Model opened = save_and_open(made.spec(), mix, 1 + n_threads++ % 3);
      CHECK(diff(made.spec(), opened.spec()) == "");
      CHECK(opened.type_name() == mix_name(mix));
      const auto prompt = make_prompt(made, 7);
      CHECK(logits_of(opened, prompt, {}, {5, 1}) == logits_of(made, prompt, {}, {5, 1}));
    }
}

TEST_CASE("layers of different widths survive a file") {
  auto spec = spec_from_shape("layers=3,d_model=64,d_ff=96,heads=4,vocab=300");
  REQUIRE(spec);
  spec->layers[1].ffn->d_ff = 160;
  spec->layers[2].attention()->n_kv_heads = 2;
  for (LayerSpec& layer : spec->layers) layer.attention()->scale = 0.3f;
  CHECK(diff(*spec, save_and_open(*spec, Mix::Q8_0, 2).spec()) == "");
}

TEST_CASE("what is done beyond the length of training survives a file") {
  auto spec = spec_from_shape("family=qwen,layers=2,d_model=64,d_ff=96,heads=4,vocab=300,ctx=200");
  REQUIRE(spec);
  for (LayerSpec& layer : spec->layers) {
    AttentionSpec& attention = *layer.attention();
    attention.log_scaling_from = attention.rope->n_short_ctx = 100;
    attention.rope->factors.assign(8, 1.0f);
    attention.rope->long_factors = {1, 1.25f, 1.5f, 1.75f, 2, 2.25f, 2.5f, 3};
  }
  CHECK(diff(*spec, save_and_open(*spec, Mix::Q8_0, 2).spec()) == "");
}

TEST_CASE("a saved model has a tokenizer for all of its tokens if it has enough of them") {
  const Model model = save_and_open(make_model(awkward_shapes()[3], Mix::Q8_0).spec(), Mix::Q8_0, 1);
  const Tokenizer* tokenizer = model.tokenizer();
  REQUIRE(tokenizer);
  const std::string text = "Once upon a time\n\xc3\xa4";
  const auto tokens = tokenizer->encode(text);
  REQUIRE(tokens);
  CHECK(tokens->size() < text.size());
  CHECK(tokenizer->decode(*tokens) == text);
  CHECK(tokenizer->is_end(999));
  CHECK_FALSE(save_and_open(make_model(awkward_shapes()[4], Mix::Q8_0).spec(), Mix::Q8_0, 1).tokenizer());
}

TEST_CASE("a model that no file of its family can say is not saved") {
  const TempDir folder;
  const std::pair<const char*, const char*> refused[] = {
      {"layers=1,d_model=64,d_ff=96,heads=4,vocab=30,placement=output", "placement"},
      {"family=openelm,layers=1,d_model=64,d_ff=96,heads=4,vocab=30,tied=0,qk_norm=0", "qk_norm"},
      {"layers=1,d_model=64,d_ff=96,heads=4,vocab=30,norm=layer", "layer_norm_rms_epsilon"},
      {"layers=1,d_model=64,d_ff=96,heads=4,vocab=30,rope_style=none", "rope"},
      {"layers=1,d_model=64,d_ff=96,heads=4,vocab=30,rope_base=10000.1", "rope.base"},
      {"family=gpt2,layers=1,d_model=64,d_ff=96,heads=4,vocab=30,positions=0", "position_embd.weight"},
      {"family=qwen3,layers=1,d_model=64,d_ff=96,heads=4,vocab=30,qk_norm=0", "qk_norm"},
  };
  for (const auto& [shape, word] : refused) {
    CAPTURE(shape);
    const auto spec = spec_from_shape(shape);
    REQUIRE(spec);
    const Status saved = save_random_model(*spec, 0, folder.file("model.gguf"), {});
    REQUIRE_FALSE(saved);
    CHECK(saved.error().code == ErrorCode::unsupported);
    CAPTURE(saved.error().message);
    CHECK(saved.error().message.find(word) != std::string::npos);
  }
  CHECK(folder.count() == 0);
}

TEST_CASE("saving reports its progress and can be cancelled") {
  const TempDir folder;
  QuantizeOptions options;
  double last = 0;
  options.progress = [&](double share) {
    CHECK(share > last);
    last = share;
    return share < 0.5;
  };
  const auto spec = spec_from_shape(awkward_shapes()[0]);
  REQUIRE(spec);
  const Status saved = save_random_model(*spec, 0, folder.file("model.gguf"), options);
  REQUIRE_FALSE(saved);
  CHECK(saved.error().code == ErrorCode::cancelled);
  CHECK(folder.count() == 0);
  CHECK_FALSE(save_random_model(*spec, 0, folder.file("no/such/folder.gguf"), {}));
}

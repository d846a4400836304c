/// Small models with awkward numbers, and their logits computed in different ways.
#pragma once
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "mote/kernels.h"
#include "mote/model.h"
#include "mote/session.h"
#include "mote/spec.h"
#include "tests/catch.h"

namespace mote::test {

/// One shape a family, with head sizes, widths and vocabularies that are no multiple of anything, and both kinds of fallback.
inline const std::vector<std::string>& awkward_shapes() {
  static const std::vector<std::string> shapes = {
      "family=llama,layers=2,d_model=256,d_ff=2046,heads=6,kv_heads=2,head_dim=28,vocab=259,ctx=600",
      "family=llama,layers=2,d_model=288,d_ff=512,heads=4,kv_heads=1,head_dim=120,vocab=101,ctx=600,tied=1,activation=relu",
      "family=qwen2,layers=2,d_model=96,d_ff=160,heads=3,kv_heads=3,head_dim=36,vocab=67,ctx=600,tied=1",
      "family=qwen3,layers=2,d_model=512,d_ff=768,heads=8,kv_heads=4,head_dim=44,vocab=1000,ctx=600",
      "family=gpt2,layers=2,d_model=80,d_ff=320,heads=1,head_dim=80,vocab=77,ctx=600",
      "family=phi2,layers=2,d_model=256,d_ff=1024,heads=4,head_dim=64,rope_dims=22,vocab=33,ctx=600",
      "family=gptneox,layers=2,d_model=222,d_ff=612,heads=6,head_dim=37,rope_dims=10,vocab=45,ctx=600",
      "family=llama,layers=2,d_model=160,d_ff=230,heads=5,kv_heads=1,vocab=53,ctx=600,experts=7,experts_used=3",
      "family=qwen2moe,layers=2,d_model=256,d_ff=96,heads=4,vocab=49,ctx=600,experts=37,experts_used=5,shared_d_ff=200",
      "family=gemma2,layers=3,d_model=256,d_ff=420,heads=6,kv_heads=2,head_dim=40,vocab=53,ctx=600,window=37,full_every=2,"
      "attention_softcap=2,logit_softcap=3",
      "family=gemma3,layers=3,d_model=222,d_ff=512,heads=4,kv_heads=1,head_dim=28,vocab=57,ctx=600,window=300,full_every=3,"
      "rope_base_local=500",
      "family=granite,layers=2,d_model=256,d_ff=420,heads=4,vocab=59,ctx=600,embedding_scale=6,residual_scale=0.375,"
      "attention_scale=0.1,logit_scale=0.25",
      "family=olmo2,layers=2,d_model=160,d_ff=320,heads=5,vocab=61,ctx=600",
      "family=phi3,layers=2,d_model=256,d_ff=330,heads=4,kv_heads=2,vocab=63,ctx=600,rope_dims=48,window=41",
      "family=smollm3,layers=4,d_model=192,d_ff=330,heads=6,kv_heads=2,vocab=65,ctx=600,nope_every=4",
      "family=deepseek2,layers=3,d_model=96,d_ff=40,heads=3,head_dim=44,rope_dims=12,kv_rank=64,v_dim=24,vocab=57,ctx=600,"
      "experts=6,experts_used=2,shared_d_ff=64,dense_layers=0,dense_d_ff=100",
      "family=minicpm3,layers=2,d_model=128,d_ff=160,heads=5,head_dim=80,rope_dims=16,q_rank=96,kv_rank=256,v_dim=32,vocab=61,"
      "ctx=600",
      "family=phimoe,layers=2,d_model=96,d_ff=72,heads=3,kv_heads=1,vocab=51,ctx=600,experts=18,experts_used=2",
      "family=stablelm,layers=2,d_model=222,d_ff=260,heads=6,kv_heads=3,vocab=43,ctx=600,rope_dims=10,residual=parallel_shared,"
      "qk_norm=1,qk_norm_scope=each_head",
      "family=stablelm,layers=2,d_model=222,d_ff=420,heads=6,kv_heads=2,head_dim=37,rope_dims=10,vocab=47,ctx=600,qkv_bias=1",
      "family=mamba,layers=2,d_model=222,d_inner=430,d_state=5,dt_rank=15,d_conv=3,vocab=51,ctx=600",
      "family=mamba,layers=2,d_model=256,d_inner=544,d_state=17,dt_rank=32,vocab=49,ctx=600,tied=0",
      "family=mamba2,layers=2,d_model=192,d_inner=420,ssm_heads=6,d_state=9,ssm_groups=3,d_conv=3,vocab=55,ctx=600",
      "family=lfm2,layers=4,d_model=222,d_ff=420,heads=6,kv_heads=2,head_dim=38,attention_layers=1:3,vocab=57,ctx=600",
      "family=recurrentgemma,layers=3,d_model=192,d_inner=198,rglru_blocks=3,d_ff=420,heads=4,kv_heads=1,head_dim=36,rope_dims="
      "18,"
      "attention_layers=1,vocab=59,ctx=600",
      "family=jamba,layers=4,d_model=96,d_inner=170,d_state=9,dt_rank=32,d_ff=160,heads=3,kv_heads=1,head_dim=36,attention_"
      "layers=2,"
      "dense_layers=0:2,experts=5,experts_used=2,vocab=61,ctx=600",
      "family=granitehybrid,layers=3,d_model=96,d_inner=180,ssm_heads=6,ssm_groups=2,d_state=9,d_ff=70,heads=3,kv_heads=1,head_"
      "dim=36,"
      "attention_layers=1,experts=5,experts_used=3,shared_d_ff=90,vocab=63,ctx=600,residual_scale=0.6,logit_scale=0.5",
      "family=bloom,layers=2,d_model=222,d_ff=420,heads=6,head_dim=37,vocab=45,ctx=600",
      "family=opt,layers=2,d_model=120,d_ff=333,heads=3,vocab=61,ctx=600",
      "family=opt,layers=2,d_model=256,d_ff=512,heads=4,vocab=61,ctx=600,d_embedding=96,placement=post,final_norm=0,activation="
      "gelu_erf",
      "family=nemotron,layers=2,d_model=256,d_ff=288,heads=6,kv_heads=2,head_dim=44,rope_dims=22,vocab=63,ctx=600",
      "family=olmo,layers=2,d_model=256,d_ff=300,heads=4,kv_heads=2,vocab=63,ctx=600,clamp=0.75",
      "family=llama,layers=2,d_model=222,d_ff=420,heads=6,kv_heads=2,head_dim=38,vocab=59,ctx=600,repeat=2,tied=1",
      "family=llama,layers=3,d_model=96,d_ff=333,heads=3,vocab=59,ctx=600,shared_ffn=1",
      "family=openelm,layers=3,d_model=250,d_ff=96:256:420,heads=3:6:12,kv_heads=3:2:4,head_dim=36,vocab=63,ctx=600",
      "family=openlm,layers=2,d_model=256,d_ff=300,heads=4,vocab=63,ctx=600",
      "family=qwen,layers=2,d_model=222,d_ff=420,heads=6,head_dim=38,vocab=63,ctx=600",
      "family=zamba2,layers=4,d_model=96,d_inner=180,ssm_heads=6,ssm_groups=2,d_state=9,d_ff=330,heads=3,kv_heads=1,head_dim=52,"
      "attention_layers=0:2:3,shared_blocks=2,qkv_rank=32,ffn_rank=64,rope_style=halves,vocab=63,ctx=600",
      "family=zamba2,layers=3,d_model=128,ssm_heads=4,d_ff=256,heads=4,attention_layers=1:2,ffn_rank=9,vocab=61,ctx=600",
  };
  return shapes;
}

/// Whether prompts promise equal bits however they are split. Not in a build that leaves dense weights, which all these shapes
/// have for rows that are no multiple of a block, to another library. Says so.
inline bool promises_bits() {
  if (dense_library().empty()) return true;
  std::printf("SKIPPED: %s multiplies dense weights, and its bits depend on the number of tokens\n", dense_library().data());
  return false;
}

inline Model make_model(const std::string& shape, Mix mix, Isa isa = Isa::scalar) {
  const auto spec = spec_from_shape(shape);
  if (!spec) FAIL(shape << ": " << spec.error().message);
  ModelOptions options;
  options.isa = isa;
  options.n_threads = 1;
  auto model = Model::random(*spec, mix, 7, options);
  if (!model) FAIL(shape << ": " << model.error().message);
  return *std::move(model);
}

inline std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : all_isas())
    if (isa_available(isa)) isas.push_back(isa);
  return isas;
}

inline std::vector<std::int32_t> make_prompt(const Model& model, int n_tokens) {
  std::vector<std::int32_t> tokens;
  std::uint32_t state = 12345;
  for (int i = 0; i < n_tokens; ++i) {
    state = state * 1664525u + 1013904223u;
    tokens.push_back(static_cast<std::int32_t>((state >> 8) % static_cast<std::uint32_t>(model.spec().n_vocab)));
  }
  return tokens;
}

/// Logits of all tokens, computed in calls of the given sizes (the last size repeats) by sessions of these options.
inline std::vector<float> logits_of(const Model& model, const std::vector<std::int32_t>& tokens, const SessionOptions& options,
                                    const std::vector<int>& call_sizes) {
  auto session = Session::create(model, options);
  if (!session) FAIL(session.error().message);
  const auto n_vocab = static_cast<std::size_t>(model.spec().n_vocab);
  std::vector<float> logits(tokens.size() * n_vocab);
  std::size_t done = 0;
  for (std::size_t call = 0; done < tokens.size(); ++call) {
    const auto size = static_cast<std::size_t>(call < call_sizes.size() ? call_sizes[call] : call_sizes.back());
    const std::size_t n = std::min(size, tokens.size() - done);
    const Status status = session->decode({tokens.data() + done, n}, {logits.data() + done * n_vocab, n * n_vocab});
    if (!status) FAIL(status.error().message);
    done += n;
  }
  return logits;
}

} // namespace mote::test

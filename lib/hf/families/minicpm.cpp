// MiniCPM 1 and 2.
#include <cmath>

#include "lib/hf/family.h"
#include "lib/hf/llama_like.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("minicpm");
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());
  t.set("embedding_scale", t.config().real_or("scale_emb", 1.0));
  t.set("residual_scale", t.config().real_or("scale_depth", 1.0) / std::sqrt(static_cast<double>(t.n_layers())));
  t.set("logit_scale", static_cast<double>(t.d_model()) / t.config().integer_or("dim_model_base", 1));
  llama_like_tensors(t, HeadRows::pairs, true);
}

} // namespace

constinit const Family kMiniCpm{"minicpm", translate};

} // namespace mote::hf

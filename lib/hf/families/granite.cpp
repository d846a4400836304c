// Granite 3.
#include "lib/hf/family.h"
#include "lib/hf/llama_like.h"

namespace mote::hf {

namespace {

void translate(Translation& t) {
  t.architecture("granite");
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());
  t.set("embedding_scale", t.config().real_or("embedding_multiplier", 1.0));
  t.set("residual_scale", t.config().real_or("residual_multiplier", 1.0));
  t.set("attention.scale", t.config().real_or("attention_multiplier", 1.0));
  t.set("logit_scale", t.config().real_or("logits_scaling", 1.0));
  llama_like_tensors(t, HeadRows::pairs);
}

} // namespace

constinit const Family kGranite{"granite", translate};

} // namespace mote::hf

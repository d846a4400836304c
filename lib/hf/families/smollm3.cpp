// SmolLM 3.
#include "lib/hf/family.h"
#include "lib/hf/llama_like.h"

namespace mote::hf {

namespace {

/// GGUF files do not say which layers know no positions: it is every fourth.
void check_layers_without_rope(Config& config) {
  if (!config.has("no_rope_layers")) return;
  const std::vector<int> has_rope = config.integers("no_rope_layers", 0, 1);
  for (std::size_t i = 0; i < has_rope.size(); ++i)
    if (has_rope[i] != ((i + 1) % 4 != 0))
      return config.unsupported("no_rope_layers is not supported unless it is 0 for every fourth layer and 1 for the others");
}

void translate(Translation& t) {
  t.architecture("smollm3");
  t.config().expect_word("hidden_act", "silu", {"silu"});
  t.config().expect_flag("use_sliding_window", false, false);
  check_layers_without_rope(t.config());
  t.sizes();
  t.rms_eps();
  t.rope(t.head_dim());
  llama_like_tensors(t, HeadRows::pairs, true);
}

} // namespace

constinit const Family kSmolLm3{"smollm3", translate};

} // namespace mote::hf

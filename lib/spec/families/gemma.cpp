// Gemma 1, 2 and 3: the embedding grows by sqrt(d_model), a gelu gate. Files hold the norms' weights with the 1 added that the
// models add to them.
#include "lib/spec/family.h"

namespace mote::spec {

namespace {

constexpr int kGemma2Pattern = 2, kGemma3Pattern = 6; // every so many layers one attends to all positions
constexpr std::string_view kPattern = "attention.sliding_window_pattern", kLocalBase = "rope.freq_base_swa";

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 8192;
  spec.embedding.scale = 0;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm.eps = spec.head.norm->eps = 1e-6f;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 0, 10000.0, {}};
  layer.ffn->activation = Activation::gelu_tanh;
  spec.head.tied = true;
  return spec;
}

ModelSpec defaults_2() {
  ModelSpec spec = defaults();
  spec.layers[0].placement = NormPlacement::sandwich;
  return spec;
}

ModelSpec defaults_3() {
  ModelSpec spec = defaults_2();
  spec.n_ctx = 32768;
  AttentionSpec& attention = *spec.layers[0].attention();
  attention.qk_norm = spec.layers[0].norm;
  attention.rope->base = 1e6;
  return spec;
}

ModelSpec read(Metadata& metadata) { return read_decoder(metadata, defaults()); }

ModelSpec read_2(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults_2());
  read_windows(metadata, spec, kGemma2Pattern);
  return spec;
}

ModelSpec read_3(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults_3());
  read_windows(metadata, spec, kGemma3Pattern);
  const double local_base = metadata.real_or(kLocalBase, 10000.0);
  for (LayerSpec& layer : spec.layers)
    if (AttentionSpec& a = *layer.attention(); a.window != 0) a.rope = RopeSpec{a.rope->style, a.rope->dims, local_base, {}};
  return spec;
}

/// Layers in a turn, the last of which attends to all positions.
int pattern_of(const ModelSpec& spec) {
  int n = 0;
  for (const LayerSpec& layer : spec.layers) {
    ++n;
    if (layer.attention()->window == 0) return n;
  }
  return n + 1;
}

void write_2(const ModelSpec& spec, KeyWriter& keys) {
  if (pattern_of(spec) != kGemma2Pattern) keys.set(kPattern, pattern_of(spec));
}

void write_3(const ModelSpec& spec, KeyWriter& keys) {
  if (pattern_of(spec) != kGemma3Pattern) keys.set(kPattern, pattern_of(spec));
  const AttentionSpec& first = *spec.layers[0].attention();
  if (first.window != 0 && first.rope) keys.set(kLocalBase, static_cast<float>(first.rope->base));
}

} // namespace

constinit const Family kGemma{"gemma", defaults, read};
constinit const Family kGemma2{"gemma2", defaults_2, read_2, write_2};
constinit const Family kGemma3{"gemma3", defaults_3, read_3, write_3};

} // namespace mote::spec

// Qwen 1: q, k and v in one, with a bias. Its files count both halves of the FFN as one width. Beyond the length of its training
// its own code turns slower and scales q by logarithms, of which GGUF files of others say nothing; lib/spec/README.md has the
// keys of those that do.
#include <string>

#include "lib/spec/family.h"
#include "lib/spec/limits.h"

namespace mote::spec {

namespace {

constexpr std::string_view kWidth = "feed_forward_length", kLogScaling = "attention.log_scaling_from";

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 8192;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm.eps = spec.head.norm->eps = 1e-6f;
  layer.attention()->qkv_storage = QkvStorage::fused;
  layer.attention()->qkv_bias = true;
  layer.attention()->rope = RopeSpec{RopeStyle::halves, 0, 10000.0, {}};
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec spec = read_decoder(metadata, defaults());
  const int log_scaling_from = metadata.has(kLogScaling) ? metadata.integer(kLogScaling, 2, kMaxCtx) : 0;
  for (LayerSpec& layer : spec.layers) {
    layer.attention()->log_scaling_from = log_scaling_from;
    if (layer.ffn->d_ff % 2 != 0)
      metadata.fail(ErrorCode::bad_file, metadata.full_key(kWidth) + " is " + std::to_string(layer.ffn->d_ff) +
                                             ", expected an even number: the width of both halves");
    layer.ffn->d_ff /= 2;
  }
  return spec;
}

void write(const ModelSpec& spec, KeyWriter& keys) {
  const LayerSpec& layer = spec.layers[0];
  keys.set(kWidth, 2 * layer.ffn->d_ff);
  if (const int from = layer.attention()->log_scaling_from) keys.set(kLogScaling, from);
}

} // namespace

constinit const Family kQwen{"qwen", defaults, read, write};

} // namespace mote::spec

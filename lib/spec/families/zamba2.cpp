// Zamba2: layers of Mamba-2, some with a block of attention and FFN in front, of which one or two are stored. Files are described
// in the README of lib/spec.
#include <utility>
#include <vector>

#include "lib/spec/family.h"
#include "lib/spec/limits.h"
#include "lib/spec/recurrent.h"

namespace mote::spec {

namespace {

constexpr std::string_view kCount = "shared_block.count", kQkvRank = "shared_block.qkv_rank", kFfnRank = "shared_block.ffn_rank";

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = 4096;
  spec.layers.resize(2);
  for (LayerSpec& layer : spec.layers) {
    layer.mixer = MixerSpec(Mamba2Spec{0, 0, 64, 1, 4});
    layer.ffn.reset();
  }
  BlockSpec& block = spec.layers[0].block.emplace();
  block.ffn.activation = Activation::gelu_erf;
  block.ffn_rank = 128;
  spec.head.tied = true;
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec usual = defaults();
  if (metadata.has("rope.dimension_count")) usual.layers[0].block->attention.rope = RopeSpec{RopeStyle::halves, 0, 10000.0, {}};
  usual.layers[0].block->qkv_rank = metadata.integer_or(kQkvRank, 0, 0, kMaxDModel);
  usual.layers[0].block->ffn_rank = metadata.integer_or(kFfnRank, 0, 0, kMaxDModel);
  ModelSpec spec = read_decoder(metadata, std::move(usual));
  const std::vector<int> d_ff = metadata.per_layer("feed_forward_length", spec.layers.size(), 0, kMaxDFf);
  for (std::size_t i = 0; i < spec.layers.size(); ++i)
    if (auto& block = spec.layers[i].block) block->ffn.d_ff = d_ff[i];
  share_blocks(spec, metadata.integer(kCount, 1, kMaxLayers));
  return spec;
}

void write(const ModelSpec& spec, KeyWriter& keys) {
  int n_stored = 0;
  for (const LayerSpec& layer : spec.layers) {
    if (!layer.block) continue;
    n_stored += layer.block->from < 0;
    keys.set(kQkvRank, layer.block->qkv_rank);
    keys.set(kFfnRank, layer.block->ffn_rank);
  }
  keys.set(kCount, n_stored);
}

} // namespace

constinit const Family kZamba2{"zamba2", defaults, read, write};

} // namespace mote::spec

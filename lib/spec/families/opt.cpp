// OPT and Galactica: learned positions from row 2 on, biases everywhere; OPT-350M has its norms behind attention and FFN, none at
// the end, and a narrower embedding. lib/spec/README.md has the names and keys of its GGUF files.
#include "lib/spec/family.h"
#include "lib/spec/limits.h"

namespace mote::spec {

namespace {

ModelSpec defaults() {
  ModelSpec spec;
  spec.n_ctx = spec.embedding.n_positions = 2048;
  spec.embedding.first_position = 2;
  spec.layers.emplace_back();
  LayerSpec& layer = spec.layers[0];
  layer.norm = {NormKind::layer, 1e-5f, true};
  layer.attention()->qkv_bias = layer.attention()->output_bias = true;
  layer.ffn = {FfnKind::standard, Activation::relu, 0, true};
  spec.head = {layer.norm, true, false};
  return spec;
}

ModelSpec read(Metadata& metadata) {
  ModelSpec usual = defaults();
  if (metadata.layer_has(0, "post_attention_norm.weight")) usual.layers[0].placement = NormPlacement::post;
  if (!metadata.has_tensor("output_norm.weight")) usual.head.norm.reset();
  if (metadata.has_tensor("project_out.weight"))
    usual.embedding.d_embedding = metadata.matrix_rows("project_out.weight", kMaxDModel);
  return read_decoder(metadata, usual);
}

} // namespace

constinit const Family kOpt{"opt", defaults, read};

} // namespace mote::spec

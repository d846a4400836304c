#include "lib/spec/recurrent.h"

#include <string>
#include <vector>

#include "lib/spec/limits.h"
#include "lib/spec/visit_mixer.h"

namespace mote::spec {

namespace {

/// The heads of Mamba-2 share its channels evenly; 1 with an error told to fail(text).
template <class Fail> int share(int d_inner, int n_heads, Fail fail) {
  if (d_inner % n_heads == 0) return d_inner / n_heads;
  fail("a divisor of " + std::to_string(d_inner) + ", the inner size");
  return 1;
}

void read(Metadata&, AttentionSpec&) {}

void read(Metadata& metadata, MambaSpec& mamba) {
  mamba.d_inner = metadata.integer("ssm.inner_size", 1, kMaxDFf);
  mamba.d_state = metadata.integer("ssm.state_size", 1, kMaxDState);
  mamba.dt_rank = metadata.integer("ssm.time_step_rank", 1, kMaxDModel);
  mamba.d_conv = metadata.integer("ssm.conv_kernel", 1, kMaxDConv);
  if (metadata.boolean_or("ssm.dt_b_c_rms", false))
    metadata.fail(ErrorCode::unsupported, metadata.full_key("ssm.dt_b_c_rms") + " is true, which is not supported");
}

void read(Metadata& metadata, Mamba2Spec& mamba) {
  const int d_inner = metadata.integer("ssm.inner_size", 1, kMaxDFf);
  mamba.n_heads = metadata.integer("ssm.time_step_rank", 1, kMaxHeads);
  mamba.head_dim = share(d_inner, mamba.n_heads, [&](const std::string& expected) {
    metadata.fail(ErrorCode::bad_file,
                  metadata.full_key("ssm.time_step_rank") + " is " + std::to_string(mamba.n_heads) + ", expected " + expected);
  });
  mamba.d_state = metadata.integer("ssm.state_size", 1, kMaxDState);
  mamba.n_groups = metadata.integer("ssm.group_count", 1, kMaxHeads);
  mamba.d_conv = metadata.integer("ssm.conv_kernel", 1, kMaxDConv);
}

void read(Metadata& metadata, ShortConvSpec& conv) { conv.d_conv = metadata.integer("shortconv.l_cache", 1, kMaxDConv); }

void read(Metadata& metadata, RgLruSpec& lru) {
  lru.d_inner = metadata.integer("rglru.inner_size", 1, kMaxDFf);
  lru.n_blocks = metadata.integer("rglru.block_count", 1, kMaxHeads);
  lru.d_conv = metadata.integer("rglru.conv_kernel", 1, kMaxDConv);
}

void read(ShapeValues&, AttentionSpec&, int) {}

void read(ShapeValues& values, MambaSpec& mamba, int d_model) {
  mamba.d_inner = values.integer_or("d_inner", 2 * d_model, 1, kMaxDFf);
  mamba.d_state = values.integer_or("d_state", mamba.d_state, 1, kMaxDState);
  mamba.dt_rank = values.integer_or("dt_rank", (d_model + 15) / 16, 1, kMaxDModel);
  mamba.d_conv = values.integer_or("d_conv", mamba.d_conv, 1, kMaxDConv);
}

void read(ShapeValues& values, Mamba2Spec& mamba, int d_model) {
  const int d_inner = values.integer_or("d_inner", 2 * d_model, 1, kMaxDFf);
  mamba.n_heads = values.integer("ssm_heads", 1, kMaxHeads);
  mamba.head_dim = share(d_inner, mamba.n_heads, [&](const std::string& expected) { values.fail("ssm_heads", expected); });
  mamba.d_state = values.integer_or("d_state", mamba.d_state, 1, kMaxDState);
  mamba.n_groups = values.integer_or("ssm_groups", mamba.n_groups, 1, kMaxHeads);
  mamba.d_conv = values.integer_or("d_conv", mamba.d_conv, 1, kMaxDConv);
}

void read(ShapeValues& values, ShortConvSpec& conv, int) { conv.d_conv = values.integer_or("d_conv", conv.d_conv, 1, kMaxDConv); }

void read(ShapeValues& values, RgLruSpec& lru, int d_model) {
  lru.d_inner = values.integer_or("d_inner", d_model, 1, kMaxDFf);
  lru.n_blocks = values.integer("rglru_blocks", 1, kMaxHeads);
  lru.d_conv = values.integer_or("d_conv", lru.d_conv, 1, kMaxDConv);
}

void write(const AttentionSpec&, KeyWriter&) {}

void write(const MambaSpec& mamba, KeyWriter& keys) {
  keys.set("ssm.inner_size", mamba.d_inner);
  keys.set("ssm.state_size", mamba.d_state);
  keys.set("ssm.time_step_rank", mamba.dt_rank);
  keys.set("ssm.conv_kernel", mamba.d_conv);
}

void write(const Mamba2Spec& mamba, KeyWriter& keys) {
  keys.set("ssm.inner_size", mamba.d_inner());
  keys.set("ssm.state_size", mamba.d_state);
  keys.set("ssm.time_step_rank", mamba.n_heads);
  keys.set("ssm.group_count", mamba.n_groups);
  keys.set("ssm.conv_kernel", mamba.d_conv);
}

void write(const ShortConvSpec& conv, KeyWriter& keys) { keys.set("shortconv.l_cache", conv.d_conv); }

void write(const RgLruSpec& lru, KeyWriter& keys) {
  keys.set("rglru.inner_size", lru.d_inner);
  keys.set("rglru.block_count", lru.n_blocks);
  keys.set("rglru.conv_kernel", lru.d_conv);
}

} // namespace

void read_recurrent(Metadata& metadata, MixerSpec& mixer) {
  visit_mixer(mixer, [&](auto& kind) { read(metadata, kind); });
}

void read_recurrent(ShapeValues& values, MixerSpec& mixer, int d_model) {
  visit_mixer(mixer, [&](auto& kind) { read(values, kind, d_model); });
}

void refuse_recurrent_keys(ShapeValues& values) {
  for (const std::string_view key :
       {"d_inner", "d_state", "dt_rank", "d_conv", "ssm_heads", "ssm_groups", "rglru_blocks", "attention_layers"})
    if (values.has(key)) values.fail(key, "no such key in a family that has attention only");
}

void share_blocks(ModelSpec& spec, int n) {
  std::vector<int> uses; // layers
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    if (!spec.layers[i].block) continue;
    const std::size_t turn = uses.size(), n_stored = static_cast<std::size_t>(n);
    if (turn >= n_stored) spec.layers[i].block->from = uses[turn % n_stored];
    uses.push_back(static_cast<int>(i));
  }
}

void write_recurrent(const MixerSpec& mixer, KeyWriter& keys) {
  visit_mixer(mixer, [&](const auto& kind) { write(kind, keys); });
}

} // namespace mote::spec

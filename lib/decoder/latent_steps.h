/// The steps of attention over latents.
///
/// The cache holds a row for each position: its latent and the rotated part of its keys. What would make k of the latent is
/// applied to the queries instead, and what would make v to the weighted sum of latents, for one token as for many: the bits do
/// not depend on how many come at once. (Of many tokens k and v would be cheaper to make than to do without: scores and sums are
/// kv_rank + rope dims wide instead of head_dim and v_dim.)
#pragma once
#include "lib/decoder/buffers.h"
#include "lib/decoder/plan.h"
#include "lib/weights/weights.h"
#include "mote/spec.h"

namespace mote::decoder {

/// The rows of the cache, and the queries of each head for them.
class LatentQueryStep final : public Step {
 public:
  struct Operands {
    const AttentionSpec* spec;
    const weights::Linear* k_b; ///< of each head: [kv_rank, nope]
    weights::Norm kv_norm;
    const Rotation* rotation;
    float* q;       ///< [n_tokens, n_heads * head_dim]
    float* kv;      ///< [n_tokens, kv_rank + rope dims]
    float* queries; ///< [n_tokens, n_heads + 2, kv_rank + rope dims]
    LayerCache cache;
    float* scratch; ///< [n_threads, scratch_stride]
    std::size_t scratch_stride;
  };
  LatentQueryStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  int width() const noexcept { return o_.spec->latent->kv_rank + o_.spec->rope->dims; }
  void rotate(const kernels::KernelTable& kernels, int token, float* x) const noexcept;
  void store(const Pass& pass, Range tokens) const noexcept;
  void query(const Pass& pass, int thread, Range tokens, int head) const noexcept;
  Operands o_;
};

/// The keys of all positions so far, 16 side by side, of the rows of the cache.
class LatentKeysStep final : public Step {
 public:
  LatentKeysStep(const runtime::StepTag& step_tag, const LayerCache& cache, int width)
      : Step(step_tag), cache_(cache), width_(width) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  LayerCache cache_;
  int width_;
};

/// The values of each head, of the sums of latents; quantized unless the output matrix takes floats.
class LatentValueStep final : public Step {
 public:
  struct Operands {
    const AttentionSpec* spec;
    const weights::Linear* v_b; ///< of each head: [v_dim, kv_rank]
    const float* sums;          ///< [n_tokens, n_heads, kv_rank + rope dims]
    Rows out;                   ///< of width n_heads * v_dim
    bool quantize;
    float* scratch; ///< [n_threads, scratch_stride]
    std::size_t scratch_stride;
  };
  LatentValueStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

} // namespace mote::decoder

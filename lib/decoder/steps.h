/// The kinds of steps that plans are made of.
#pragma once
#include <span>
#include <vector>

#include "lib/decoder/buffers.h"
#include "lib/decoder/plan.h"
#include "lib/weights/weights.h"

namespace mote::decoder {

/// Tokens to rows of the stream, and the rotations of their positions.
class EmbedStep final : public Step {
 public:
  EmbedStep(const runtime::StepTag& step_tag, const weights::Weights& weights, Buffers& buffers, int d_model);
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  const weights::Weights& weights_;
  Buffers& buffers_;
  int d_model_;
};

/// out = norm(x), and the same quantized if asked for.
class NormStep final : public Step {
 public:
  struct Operands {
    NormSpec spec;
    weights::Norm norm;
    const float* x; ///< [n_tokens, out.n_cols]
    Rows out;
    bool quantize; ///< fill out.act
    Scope scope;
  };
  NormStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

/// rows.act = quantized rows.x.
class QuantizeStep final : public Step {
 public:
  QuantizeStep(const runtime::StepTag& step_tag, const Rows& rows) : Step(step_tag), rows_(rows) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Rows rows_;
};

/// out = linear(in) for one or more linear layers whose outputs lie side by side (q, k, v); then residual += out where given.
class LinearStep final : public Step {
 public:
  struct Operands {
    std::vector<const weights::Linear*> parts;
    Rows in;
    float* out; ///< [n_tokens, out_stride]; null: the logits of the pass
    std::size_t out_stride;
    float* residual; ///< [n_tokens, out_stride] or null
    Scope scope;
  };
  LinearStep(const runtime::StepTag& step_tag, Operands operands) : Step(step_tag), o_(std::move(operands)) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

/// The first half of an FFN: out = act(gate in) * (up in), or out = act(up in) without a gate.
class FfnInStep final : public Step {
 public:
  struct Operands {
    Activation activation;
    const weights::Linear* gate; ///< null: standard
    const weights::Linear* up;
    Rows in;
    float* out;    ///< [n_tokens, d_ff]
    float* up_out; ///< [n_tokens, d_ff]; for gated
  };
  FfnInStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

/// Norms and rotates the heads of q and k, and writes k and v to the cache.
class CacheStep final : public Step {
 public:
  struct Operands {
    const AttentionSpec* spec;
    weights::Norm q_norm, k_norm;
    const Rotation* rotation; ///< null: no rope
    float* qkv;               ///< [n_tokens, (n_heads + 2 n_kv_heads) * head_dim]; q is rotated in place
    LayerCache cache;
  };
  CacheStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  void prepare_head(const kernels::KernelTable& kernels, int token, const weights::Norm& norm, float* head) const noexcept;
  void store_k(const kernels::KernelTable& kernels, const float* x, int kv_head, int pos) const noexcept;
  void store_v(const kernels::KernelTable& kernels, const float* x, int kv_head, int pos) const noexcept;
  Operands o_;
};

/// Softmax attention of q over the cache.
class AttentionStep final : public Step {
 public:
  struct Operands {
    const AttentionSpec* spec;
    const float* qkv;
    LayerCache cache;
    float* out;     ///< [n_tokens, n_heads * head_dim]
    float* scratch; ///< [n_threads, scratch_stride]
    std::size_t scratch_stride;
  };
  AttentionStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

} // namespace mote::decoder

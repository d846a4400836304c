/// The kinds of steps that plans are made of.
#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "lib/decoder/buffers.h"
#include "lib/decoder/multiply.h"
#include "lib/decoder/plan.h"
#include "lib/weights/weights.h"

namespace mote::decoder {

/// x, out: [n]; out may be x.
void normalize_row(const kernels::KernelTable& kernels, const NormSpec& spec, const weights::Norm& norm, const float* x, int n,
                   float* out);

/// Tokens to rows of the stream, and the rotations of their positions.
class EmbedStep final : public Step {
 public:
  /// out: [n_tokens, out.n_cols], the width of the table: the stream, or what a projection will add to it; out.act is filled if
  /// asked for.
  EmbedStep(const runtime::StepTag& step_tag, const ModelSpec& spec, const weights::Weights& weights, Buffers& buffers,
            const Rows& out, bool quantize)
      : Step(step_tag),
        spec_(spec.embedding),
        weights_(weights),
        buffers_(buffers),
        d_model_(spec.d_model),
        out_(out),
        quantize_(quantize) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  void embed(const Pass& pass, int token) const noexcept;
  const EmbeddingSpec& spec_;
  const weights::Weights& weights_;
  Buffers& buffers_;
  int d_model_;
  Rows out_;
  bool quantize_;
};

/// out = norm(x), of each group of its elements by itself, and the same quantized if asked for. Every thread does all of a single
/// token, for itself.
class NormStep final : public Step {
 public:
  struct Operands {
    const NormSpec* spec; ///< null: none, out = x
    weights::Norm norm;
    const float* x; ///< [n_tokens, out.n_cols]
    Rows out;
    bool quantize; ///< fill out.act
    Scope scope;
    Scope x_scope; ///< which tokens x has
    int n_groups = 1;
    const float* beside = nullptr; ///< rows of out.n_cols / 2 where out has its own, which follow those of x: norm([x | beside])
    const float* plus = nullptr;   ///< the shape of x: norm(x + plus)
  };
  NormStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;
  bool ends_at_barrier(const Pass& pass) const noexcept override { return count_of(o_.scope, pass) > 1; }

 private:
  void normalize(const Pass& pass, int token, int row) const noexcept;
  Operands o_;
};

/// The norm behind a mixer or FFN, whose output is x:
/// placement post: stream = norm(stream + scale * x); sandwich, output: stream += scale * norm(x).
class AddNormedStep final : public Step {
 public:
  struct Operands {
    NormPlacement placement;
    NormSpec spec;
    weights::Norm norm;
    float* x;      ///< [n_tokens, d_model], overwritten
    float* stream; ///< [n_tokens, d_model]
    int d_model;
    float scale;
  };
  AddNormedStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

/// out = linear(in), then residual += scale * out where given; else out = softcap(scale * out).
class LinearStep final : public Step {
 public:
  struct Operands {
    const weights::Linear* linear;
    Rows in;
    float* out; ///< [n_tokens, out_stride]; null: the logits of the pass
    std::size_t out_stride;
    float* residual; ///< [n_tokens, out_stride] or null
    Scope scope;
    float scale = 1;
    float softcap = 0; ///< 0: none
  };
  LinearStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

/// The first half of an FFN: out = act(gate in) * (up in), or out = act(up in) without a gate; quantized unless down takes
/// floats.
class FfnInStep final : public Step {
 public:
  struct Operands {
    Activation activation;
    const weights::Linear* gate; ///< null: standard
    const weights::Linear* up;
    Rows in;
    Rows out; ///< of width d_ff; x if down takes floats, else act
    bool quantize;
    float* scratch; ///< [n_threads, scratch_stride], 2 * kFfnTileFloats at least, with adapters 3
    std::size_t scratch_stride;
    /// What is added to gate in and up in: the products of these and of adapter_in, whose rows are those of in; null: nothing.
    const weights::Linear* gate_adapter = nullptr;
    const weights::Linear* up_adapter = nullptr;
    Rows adapter_in = {};
  };
  FfnInStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;
  /// Some panels for some rows of in, which become the rows of out from first_out_row on.
  static void run_tile(const kernels::KernelTable& kernels, const Operands& o, int thread, Range in_rows, int first_out_row,
                       Range panels) noexcept;

 private:
  Operands o_;
};

/// q, k and v of the tokens: products, norms and rotations of the heads; k and v go to the cache. Where the norms are over all
/// heads, or something is added to the products, these are a step of their own.
class QkvStep final : public Step {
 public:
  enum class Part : std::uint8_t { all, products, heads };
  struct Operands {
    const AttentionSpec* spec;
    std::vector<const weights::Linear*> parts; ///< q, k, v; or all in one
    Rows in;
    weights::Norm q_norm, k_norm;
    const Rotation* rotation; ///< null: no rope
    float* qkv;               ///< [n_tokens, (n_heads + 2 n_kv_heads) * head_dim]
    LayerCache cache;
    Part part;
  };
  QkvStep(const runtime::StepTag& step_tag, Operands operands) : Step(step_tag), o_(std::move(operands)) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  int n_all_heads() const noexcept { return o_.spec->n_heads + 2 * o_.spec->n_kv_heads; }
  void multiply_heads(const Pass& pass, Items& items) const noexcept;
  void finish_heads(const Pass& pass, int token, int first, int last) const noexcept;
  void finish_token(const Pass& pass, int token) const noexcept;
  void rotate(const kernels::KernelTable& kernels, int token, float* head) const noexcept;
  void store_k(const kernels::KernelTable& kernels, const float* x, int kv_head, int pos) const noexcept;
  void store_v(const kernels::KernelTable& kernels, const float* x, int kv_head, int pos) const noexcept;
  Operands o_;
};

/// Softmax attention of q over the cache; quantized unless the output matrix takes floats.
class AttentionStep final : public Step {
 public:
  struct Operands {
    const AttentionSpec* spec;
    const float* qkv;
    LayerCache cache;
    Rows out; ///< of width n_heads * head_dim
    bool quantize;
    float* partials; ///< [n_kv_heads, partials_stride]; null: no context longer than a chunk
    std::size_t partials_stride;
    float* scratch; ///< [n_threads, scratch_stride]
    std::size_t scratch_stride;
  };
  AttentionStep(const runtime::StepTag& step_tag, const Operands& operands);
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  kernels::AttentionArgs args_of(const Pass& pass, int thread, int kv_head, int first_token) const noexcept;
  void run_tokens(const Pass& pass, Items& items) const noexcept;
  void run_heads(const Pass& pass, Items& items) const noexcept;
  void run_chunks(const Pass& pass, Items& items) const noexcept;
  void finish(const Pass& pass, Range tokens, Range cols) const noexcept;
  int group() const noexcept { return o_.spec->n_heads / o_.spec->n_kv_heads; }
  /// The first position that a token at this one attends to.
  int first_attended(int pos) const noexcept { return o_.spec->window == 0 ? 0 : std::max(0, pos - o_.spec->window + 1); }

  Operands o_;
  std::size_t type_;          ///< of the cache: 0 is F16, 1 is F32
  std::vector<float> slopes_; ///< [n_heads], or empty
  int unit_; ///< kv heads that one thread does together, so that their outputs are whole groups of 32 to quantize
  std::unique_ptr<std::atomic<int>[]> chunks_done_; ///< [n_kv_heads / unit]
};

} // namespace mote::decoder

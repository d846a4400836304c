/// The steps of mixers that keep a state. Threads take ranges of channels or heads and go through all tokens of the pass in
/// order, so that the state of a channel has one owner; the products of matrices before and behind are over all tokens at once.
/// A pass that begins at position 0 begins with states of zeros.
#pragma once
#include <optional>
#include <utility>
#include <vector>

#include "lib/decoder/buffers.h"
#include "lib/decoder/plan.h"
#include "lib/weights/weights.h"

namespace mote::decoder {

/// out = act(convolution(x)) of every channel; quantized if asked for.
class ConvStep final : public Step {
 public:
  struct Operands {
    const float* x; ///< [n_tokens, x_stride]
    std::size_t x_stride;
    weights::Norm taps; ///< weight in lanes: [ceil(n_channels/16), d_conv, 16]; bias [n_channels] or null
    int d_conv;
    float* past; ///< [ceil(n_channels/16), d_conv - 1, 16]
    std::optional<Activation> activation;
    Rows out; ///< n_cols: the channels
    bool quantize;
  };
  ConvStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

/// Mamba: dt', B and C from where the product has put them to rows of their own, through their norms where given; dt' quantized
/// if asked for. Every thread does all of a single token, for itself.
class MambaSplitStep final : public Step {
 public:
  struct Operands {
    const MambaSpec* spec;
    const float* x; ///< [n_tokens, dt_rank + 2 d_state]: dt' | B | C
    float eps;
    weights::Norm dt_norm, b_norm, c_norm; ///< used when the spec has norms
    Rows dt, bc;                           ///< of width dt_rank and 2 d_state
    bool quantize;                         ///< fill dt.act
  };
  MambaSplitStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;
  bool ends_at_barrier(const Pass& pass) const noexcept override { return pass.n_tokens() > 1; }

 private:
  void split(const Pass& pass, int token, int row) const noexcept;
  Operands o_;
};

/// Mamba: dt of each channel, and its recurrence, gated by z; quantized if asked for.
class MambaScanStep final : public Step {
 public:
  struct Operands {
    const MambaSpec* spec;
    const weights::Linear* dt; ///< [d_inner, dt_rank] with bias
    Rows dt_in, bc;            ///< as MambaSplitStep made them
    const float* u;            ///< [n_tokens, d_inner]
    const float* z;            ///< [n_tokens, z_stride]
    std::size_t z_stride;
    const float* a; ///< in lanes: [ceil(d_inner/16), d_state, 16]
    const float* d; ///< [d_inner]
    float* steps;   ///< [n_tokens, d_inner]: where dt goes
    float* state;   ///< [ceil(d_inner/16), d_state, 16]
    Rows out;       ///< of width d_inner
    bool quantize;
  };
  MambaScanStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

/// Mamba-2: the recurrence of each head, gated by z.
class Mamba2ScanStep final : public Step {
 public:
  struct Operands {
    const Mamba2Spec* spec;
    const float* in;              ///< [n_tokens, d_inner + n_channels + n_heads]: z | ... | dt
    const float* xbc;             ///< [n_tokens, n_channels]: x | B | C behind the convolution
    const float *dt_bias, *a, *d; ///< [n_heads]
    float* state;                 ///< [n_heads, ceil(head_dim/16), d_state, 16]
    float* out;                   ///< [n_tokens, d_inner]
  };
  Mamba2ScanStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

/// The short convolution between its two products: out = c * convolution(b * x), quantized if asked for.
class ShortConvStep final : public Step {
 public:
  struct Operands {
    float* bcx;          ///< [n_tokens, 3 * out.n_cols]: b | c | x; x becomes b * x
    const float* weight; ///< in lanes: [ceil(out.n_cols/16), d_conv, 16]
    int d_conv;
    float* past; ///< [ceil(out.n_cols/16), d_conv - 1, 16]
    Rows out;
    bool quantize;
  };
  ShortConvStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  Operands o_;
};

/// RG-LRU: the output of the convolution as the gates' matrices take it, the blocks apart; quantized if asked for. Every thread
/// does all of a single token, for itself.
class RgLruSplitStep final : public Step {
 public:
  struct Operands {
    const float* u; ///< [n_tokens, n_blocks * blocks[0].n_cols]
    std::vector<Rows> blocks;
    bool quantize;
  };
  RgLruSplitStep(const runtime::StepTag& step_tag, Operands operands) : Step(step_tag), o_(std::move(operands)) {}
  void run(const Pass& pass, Items items) const noexcept override;
  bool ends_at_barrier(const Pass& pass) const noexcept override { return pass.n_tokens() > 1; }

 private:
  void split(const Pass& pass, int token, int row) const noexcept;
  Operands o_;
};

/// RG-LRU: both gates of each channel and its recurrence, gated by y.
class RgLruStep final : public Step {
 public:
  struct Operands {
    const RgLruSpec* spec;
    const weights::Linear *input_gate, *recurrence_gate; ///< a part for each block, a bias for each channel
    const float* a;                                      ///< [d_inner]
    std::vector<Rows> blocks;                            ///< as RgLruSplitStep made them
    const float* u;                                      ///< [n_tokens, d_inner]
    const float* y;                                      ///< [n_tokens, y_stride]
    std::size_t y_stride;
    float *input_gates, *recurrence_gates; ///< [n_tokens, d_inner]: where they go
    float* state;                          ///< [n_blocks, d_inner / n_blocks rounded up to 16]
    float* out;                            ///< [n_tokens, d_inner]
  };
  RgLruStep(const runtime::StepTag& step_tag, Operands operands) : Step(step_tag), o_(std::move(operands)) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  void run_panel(const Pass& pass, int thread, int block, int panel) const noexcept;
  Operands o_;
};

} // namespace mote::decoder

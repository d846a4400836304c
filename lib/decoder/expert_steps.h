/// The steps of an FFN with routed experts.
///
/// One token: the chosen experts' weights are read once, each by all threads. Several: the tokens are grouped by expert, and the
/// weights of an expert are multiplied with all its tokens at once. The outputs of a token's experts are added in the order of
/// the experts' numbers, the shared one last, so that its bits do not depend on the other tokens.
#pragma once
#include <atomic>

#include "lib/decoder/buffers.h"
#include "lib/decoder/plan.h"
#include "lib/decoder/steps.h"
#include "lib/weights/weights.h"
#include "mote/spec.h"

namespace mote::decoder {

/// Scores of the experts, and from them the experts of each token, their weights and groups.
class RouteStep final : public Step {
 public:
  struct Operands {
    const ExpertsSpec* spec;
    const weights::Linear* router;
    const weights::Linear* shared_gate; ///< null: the weight of the shared expert, if any, is 1
    Rows in;
    Routing routing;
    float* scratch; ///< [n_threads, scratch_stride], n_experts at least
    std::size_t scratch_stride;
  };
  RouteStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  void choose(const kernels::KernelTable& kernels, int token, int thread) const noexcept;
  void group(int n_tokens) const noexcept;

  Operands o_;
  mutable std::atomic<int> n_done_{0}; ///< items; who does the last one groups the tokens
};

/// The first halves of the chosen experts: FfnInStep for each group, into the rows of its slots.
class ExpertsInStep final : public Step {
 public:
  struct Operands {
    FfnInStep::Operands ffn; ///< gate and up stacked; out: [slots, d_ff]
    Routing routing;
    Rows gathered; ///< [n_threads, n_gathered, d_model]
    int n_gathered;
  };
  ExpertsInStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  void run_group(const Pass& pass, int thread, int group, Range panels) const noexcept;
  void gather(Range slots, int first_row) const noexcept;
  Operands o_;
};

/// out = the weighted sum of the outputs of a token's experts, then residual += residual_scale * out where given.
class ExpertsOutStep final : public Step {
 public:
  struct Operands {
    const weights::Linear* down;        ///< stacked
    Rows in;                            ///< [slots, d_ff]
    const weights::Linear* shared_down; ///< null: no shared expert
    Rows shared_in;                     ///< [n_tokens, shared d_ff]
    Routing routing;
    float* out;      ///< [n_tokens, d_model]
    float* residual; ///< [n_tokens, d_model] or null
    float residual_scale;
    float* scratch; ///< [n_threads, scratch_stride], kFfnTileFloats at least
    std::size_t scratch_stride;
  };
  ExpertsOutStep(const runtime::StepTag& step_tag, const Operands& operands) : Step(step_tag), o_(operands) {}
  void run(const Pass& pass, Items items) const noexcept override;

 private:
  void add_product(const Pass& pass, int thread, const weights::Linear& linear, const Rows& in, Range rows, const int* tokens,
                   const float* weights, Range panels) const noexcept;
  Operands o_;
};

} // namespace mote::decoder

#include "lib/decoder/compile.h"

#include "lib/decoder/steps.h"

namespace mote::decoder {

namespace {

using runtime::StepTag;
using weights::Linear;
using weights::Role;
using weights::RoleWeights;

/// Whether a matrix of the step wants quantized inputs.
bool any_quantized(std::span<const Linear* const> linears) {
  for (const Linear* linear : linears)
    if (linear && linear->weight.panels && !linear->takes_floats()) return true;
  return false;
}

class Compiler {
 public:
  Compiler(const ModelSpec& spec, const weights::Weights& weights, Buffers& buffers) : spec_(spec), w_(weights), b_(buffers) {}

  Plan compile(std::span<const LayerCache> cache) {
    StepTag embed{Component::embedding, Operation::embed, -1};
    embed.bytes_per_token = static_cast<std::int64_t>(
        row_bytes(w_.model.linear(Role::token_embd).weight.type, static_cast<std::size_t>(spec_.d_model)));
    add<EmbedStep>(embed, w_, b_, spec_.d_model);
    for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
      layer_ = static_cast<int>(i);
      const LayerSpec& layer = spec_.layers[i];
      if (const AttentionSpec* attention = layer.attention()) compile_attention(layer, *attention, w_.layers[i], cache[i]);
      if (layer.ffn) compile_ffn(layer, *layer.ffn, w_.layers[i]);
    }
    layer_ = -1;
    plan_.n_body = plan_.steps.size();
    const Linear* const output[] = {&w_.model.linear(Role::output)};
    StepTag head = tag(Component::lm_head, Operation::norm);
    head.outputs_only = true;
    add<NormStep>(head, NormStep::Operands{spec_.head.norm, w_.model.norm(Role::output_norm), b_.residual, b_.normed,
                                           any_quantized(output), Scope::outputs});
    add_linear(Component::lm_head, w_.model.linear(Role::output), b_.normed, nullptr, spec_.n_vocab, nullptr, Scope::outputs);
    return std::move(plan_);
  }

 private:
  template <class S, class... Args> void add(const StepTag& step_tag, Args&&... args) {
    plan_.steps.push_back(std::make_unique<S>(step_tag, std::forward<Args>(args)...));
  }

  StepTag tag(Component component, Operation operation) const { return {component, operation, layer_}; }

  static void count(StepTag& step_tag, const Linear& linear) {
    step_tag.bytes_fixed += static_cast<std::int64_t>(linear.weight.bytes);
    step_tag.ops_per_token += 2 * static_cast<std::int64_t>(linear.weight.n_rows) * linear.weight.n_cols;
  }

  void add_linear(Component component, const Linear& linear, const Rows& in, float* out, int out_stride, float* residual,
                  Scope scope = Scope::tokens) {
    StepTag step_tag = tag(component, Operation::mul_mat);
    step_tag.outputs_only = scope == Scope::outputs;
    count(step_tag, linear);
    add<LinearStep>(step_tag, LinearStep::Operands{&linear, in, out, static_cast<std::size_t>(out_stride), residual, scope});
  }

  void compile_attention(const LayerSpec& layer, const AttentionSpec& a, const RoleWeights& w, const LayerCache& cache) {
    std::vector<const Linear*> qkv;
    for (const Role role : {Role::attn_qkv, Role::attn_q, Role::attn_k, Role::attn_v})
      if (w.linear(role).weight.panels) qkv.push_back(&w.linear(role));
    std::vector<const Linear*> readers = qkv; // of the normed stream
    if (layer.residual == Residual::parallel_shared)
      readers.insert(readers.end(), {&w.linear(Role::ffn_gate), &w.linear(Role::ffn_up)});
    add<NormStep>(
        tag(Component::attention, Operation::norm),
        NormStep::Operands{layer.norm, w.norm(Role::attn_norm), b_.residual, b_.normed, any_quantized(readers), Scope::tokens});
    StepTag product = tag(Component::attention, Operation::mul_mat);
    for (const Linear* part : qkv) count(product, *part);
    const Rotation* rotation = a.rope ? b_.find_rotation(*a.rope) : nullptr;
    add<QkvStep>(product, QkvStep::Operands{&a, qkv, b_.normed, w.norm(Role::attn_q_norm), w.norm(Role::attn_k_norm), rotation,
                                            b_.qkv, cache});

    // The norm of the FFN reads the stream before the attention's output is added. Here all have read the other norm, and the
    // barrier behind the attention comes before whatever changes the stream.
    if (layer.residual == Residual::parallel) add_ffn_norm(layer, w);

    StepTag attention = tag(Component::attention, Operation::attention);
    attention.bytes_per_position =
        2 * static_cast<std::int64_t>(cache.element_bytes()) * static_cast<std::int64_t>(a.n_kv_heads) * a.head_dim;
    attention.ops_per_position = 2 * 2 * static_cast<std::int64_t>(a.n_heads) * a.head_dim;
    Rows attended = b_.attended;
    attended.n_cols = a.n_heads * a.head_dim;
    add<AttentionStep>(
        attention, AttentionStep::Operands{&a, b_.qkv, cache, attended, !w.linear(Role::attn_output).takes_floats(), b_.partials,
                                           b_.partials_stride, b_.scratch, b_.scratch_stride});
    add_linear(Component::attention, w.linear(Role::attn_output), attended, b_.projected, spec_.d_model, b_.residual);
  }

  void add_ffn_norm(const LayerSpec& layer, const RoleWeights& w) {
    const Linear* const readers[] = {&w.linear(Role::ffn_gate), &w.linear(Role::ffn_up)};
    add<NormStep>(tag(Component::ffn, Operation::norm), NormStep::Operands{layer.norm, w.norm(Role::ffn_norm), b_.residual,
                                                                           b_.normed, any_quantized(readers), Scope::tokens});
  }

  void compile_ffn(const LayerSpec& layer, const FfnSpec& ffn, const RoleWeights& w) {
    const Linear* gate = ffn.kind == FfnKind::gated ? &w.linear(Role::ffn_gate) : nullptr;
    if (layer.residual == Residual::sequential) add_ffn_norm(layer, w);
    StepTag in = tag(Component::ffn, Operation::mul_mat);
    count(in, w.linear(Role::ffn_up));
    if (gate) count(in, *gate);
    Rows inner = b_.inner;
    inner.n_cols = ffn.d_ff;
    add<FfnInStep>(in, FfnInStep::Operands{ffn.activation, gate, &w.linear(Role::ffn_up), b_.normed, inner,
                                           !w.linear(Role::ffn_down).takes_floats(), b_.scratch, b_.scratch_stride});
    add_linear(Component::ffn, w.linear(Role::ffn_down), inner, b_.projected, spec_.d_model, b_.residual);
  }

  const ModelSpec& spec_;
  const weights::Weights& w_;
  Buffers& b_;
  int layer_ = -1;
  Plan plan_;
};

} // namespace

Plan compile(const ModelSpec& spec, const weights::Weights& weights, Buffers& buffers, std::span<const LayerCache> cache) {
  return Compiler(spec, weights, buffers).compile(cache);
}

} // namespace mote::decoder

#include "lib/decoder/compile.h"

#include "lib/decoder/expert_steps.h"
#include "lib/decoder/latent_steps.h"
#include "lib/decoder/recurrent_steps.h"
#include "lib/decoder/step_tags.h"
#include "lib/decoder/steps.h"
#include "lib/spec/visit_mixer.h"

namespace mote::decoder {

namespace {

using runtime::StepTag;
using weights::Linear;
using weights::Role;
using weights::RoleWeights;

/// Whether a matrix of the step wants quantized inputs.
bool any_quantized(std::span<const Linear* const> linears) {
  for (const Linear* linear : linears)
    if (linear && linear->is_there() && !linear->takes_floats()) return true;
  return false;
}

/// The matrices of an FFN that read the normed stream.
constexpr Role kFfnReaders[] = {Role::ffn_gate,    Role::ffn_up,         Role::ffn_router,   Role::ffn_gate_exps,
                                Role::ffn_up_exps, Role::ffn_gate_shexp, Role::ffn_up_shexp, Role::ffn_shexp_gate};

class Compiler {
 public:
  Compiler(const ModelSpec& spec, const weights::Weights& weights, Buffers& buffers) : spec_(spec), w_(weights), b_(buffers) {}

  Plan compile(std::span<const LayerCache> cache) {
    compile_embedding();
    compile_embedded_copy();
    for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
      layer_ = static_cast<int>(i);
      const LayerSpec& layer = spec_.layers[i];
      if (layer.block) compile_block(layer, *layer.block, w_.layers[i], cache[i]);
      spec::visit_mixer(layer.mixer, [&](const auto& mixer) { compile_mixer(layer, mixer, w_.layers[i], cache[i]); });
      if (layer.ffn) compile_ffn(layer, *layer.ffn, w_.layers[i]);
    }
    layer_ = -1;
    plan_.n_body = plan_.steps.size();
    compile_head();
    return std::move(plan_);
  }

 private:
  template <class S, class... Args> void add(const StepTag& step_tag, Args&&... args) {
    plan_.steps.push_back(std::make_unique<S>(step_tag, std::forward<Args>(args)...));
  }

  StepTag tag(Component component, Operation operation, int width = 0) const {
    StepTag step_tag{component, operation, layer_};
    step_tag.width = width;
    return step_tag;
  }

  void add_norm(StepTag step_tag, const NormStep::Operands& operands) {
    step_tag.width = operands.out.n_cols;
    add<NormStep>(step_tag, operands);
  }

  void compile_embedding() {
    const int d_embedding = spec_.embedding.d_embedding;
    StepTag embed{Component::embedding, Operation::embed, -1};
    embed.width = d_embedding ? d_embedding : spec_.d_model;
    embed.bytes_per_token = static_cast<std::int64_t>(
        row_bytes(w_.model.linear(Role::token_embd).weight.type, static_cast<std::size_t>(embed.width)));
    if (d_embedding == 0) {
      add<EmbedStep>(embed, spec_, w_, b_, Rows{spec_.d_model, b_.residual}, false);
      return;
    }
    Rows embedded = b_.normed;
    embedded.n_cols = d_embedding;
    embedded.own_rows = false;
    const Linear& project = w_.model.linear(Role::project_in);
    add<EmbedStep>(embed, spec_, w_, b_, embedded, !project.takes_floats());
    add_linear(Component::embedding, project, embedded, b_.projected, spec_.d_model, b_.residual);
  }

  /// What blocks read beside the stream.
  void compile_embedded_copy() {
    if (b_.block.embedded.n_cols == 0) return;
    add_norm(tag(Component::embedding, Operation::embed),
             NormStep::Operands{nullptr, {}, b_.residual, b_.block.embedded, false, Scope::tokens, Scope::tokens});
  }

  void compile_head() {
    const Linear& output = w_.model.linear(Role::output);
    const bool projects = spec_.embedding.d_embedding != 0;
    const Linear* const reader[] = {projects ? &w_.model.linear(Role::project_out) : &output};
    StepTag norm = tag(Component::lm_head, Operation::norm);
    norm.outputs_only = true;
    add_norm(norm, NormStep::Operands{spec_.head.norm ? &*spec_.head.norm : nullptr, w_.model.norm(Role::output_norm),
                                      b_.residual, b_.normed, any_quantized(reader), Scope::outputs, Scope::tokens});
    Rows in = b_.normed;
    if (projects) {
      in.n_cols = spec_.embedding.d_embedding;
      add_linear(Component::lm_head, *reader[0], b_.normed, b_.projected, in.n_cols, nullptr, Scope::outputs);
      add_norm(norm, NormStep::Operands{nullptr, {}, b_.projected, in, !output.takes_floats(), Scope::outputs, Scope::outputs});
    }
    add_linear(Component::lm_head, output, in, nullptr, spec_.n_vocab, nullptr, Scope::outputs, spec_.head.scale,
               spec_.head.softcap);
  }

  void add_linear(Component component, const Linear& linear, const Rows& in, float* out, int out_stride, float* residual,
                  Scope scope = Scope::tokens, float scale = 1, float softcap = 0) {
    StepTag step_tag = tag(component, Operation::mul_mat);
    step_tag.outputs_only = scope == Scope::outputs;
    count(step_tag, linear);
    add<LinearStep>(
        step_tag, LinearStep::Operands{&linear, in, out, static_cast<std::size_t>(out_stride), residual, scope, scale, softcap});
  }

  /// The norm in front of a mixer or FFN, or where there is none, its input for those that take it quantized.
  void add_input(Component component, const LayerSpec& layer, const weights::Norm& norm, std::span<const Linear* const> readers) {
    const bool has_norm = layer.placement == NormPlacement::pre || layer.placement == NormPlacement::sandwich;
    add_norm(tag(component, Operation::norm),
             NormStep::Operands{has_norm ? &layer.norm : nullptr, norm, b_.residual, b_.normed, any_quantized(readers),
                                Scope::tokens, Scope::tokens, 1, nullptr, layer.block ? b_.block.out : nullptr});
  }

  /// Where the output of a mixer or FFN is added as it is; null: a norm comes first, or behind it.
  float* adds_to_stream(const LayerSpec& layer) const { return layer.placement == NormPlacement::pre ? b_.residual : nullptr; }

  /// The last matrix of a mixer or FFN; what it gives is added to the stream.
  void add_output(Component component, const LayerSpec& layer, const Linear& linear, const Rows& in, const weights::Norm& norm) {
    float* stream = adds_to_stream(layer);
    add_linear(component, linear, in, b_.projected, spec_.d_model, stream, Scope::tokens, stream ? layer.residual_scale : 1);
    add_post_norm(component, layer, norm);
  }

  void add_post_norm(Component component, const LayerSpec& layer, const weights::Norm& norm) {
    if (adds_to_stream(layer)) return;
    add<AddNormedStep>(tag(component, Operation::norm, spec_.d_model),
                       AddNormedStep::Operands{layer.placement, layer.norm, norm, b_.projected, b_.residual, spec_.d_model,
                                               layer.residual_scale});
  }

  void add_qkv(const AttentionSpec& a, const RoleWeights& w, const LayerCache& cache, std::vector<const Linear*> parts,
               const Rows& in) {
    StepTag product = tag(Component::attention, Operation::mul_mat);
    for (const Linear* part : parts) count(product, *part);
    const Rotation* rotation = a.rope ? b_.find_rotation(*a.rope) : nullptr;
    QkvStep::Operands operands{&a,       std::move(parts), in,    w.norm(Role::attn_q_norm), w.norm(Role::attn_k_norm),
                               rotation, b_.qkv,           cache, QkvStep::Part::all};
    const bool adapted = w.linear(Role::attn_q_adapter_in).is_there();
    if (!adapted && (!a.qk_norm || a.qk_norm_scope != QkNormScope::projection)) {
      add<QkvStep>(product, operands);
      return;
    }
    operands.part = QkvStep::Part::products;
    add<QkvStep>(product, operands);
    if (adapted) adapt_qkv(a, w, in);
    operands.part = QkvStep::Part::heads;
    add<QkvStep>(tag(Component::attention, Operation::norm, (a.n_heads + 2 * a.n_kv_heads) * a.head_dim), operands);
  }

  /// The first product of an adapter, as the input of the second ones.
  Rows add_adapter_in(Component component, const Linear& first, const Rows& in, std::span<const Linear* const> seconds) {
    add_linear(component, first, in, b_.block.reduced, first.weight.n_rows, nullptr);
    const Rows reduced = narrowed(b_.block.adapter, first.weight.n_rows);
    add_norm(tag(component, Operation::norm),
             NormStep::Operands{nullptr, {}, b_.block.reduced, reduced, any_quantized(seconds), Scope::tokens, Scope::tokens});
    return reduced;
  }

  void adapt_qkv(const AttentionSpec& a, const RoleWeights& w, const Rows& in) {
    const int n_all = (a.n_heads + 2 * a.n_kv_heads) * a.head_dim;
    int at = 0;
    for (const auto& [first, second] : {std::pair{Role::attn_q_adapter_in, Role::attn_q_adapter_out},
                                        {Role::attn_k_adapter_in, Role::attn_k_adapter_out},
                                        {Role::attn_v_adapter_in, Role::attn_v_adapter_out}}) {
      const Linear* const seconds[] = {&w.linear(second)};
      const Rows reduced = add_adapter_in(Component::attention, w.linear(first), in, seconds);
      add_linear(Component::attention, *seconds[0], reduced, b_.block.adapted + at, n_all, b_.qkv + at);
      at += seconds[0]->weight.n_rows;
    }
  }

  /// What the mixer's input has beside the stream, into block.out. Of its own parts each writes where no thread still reads:
  /// norms of a single token end without a barrier.
  void compile_block(const LayerSpec& layer, const BlockSpec& block, const RoleWeights& w, const LayerCache& cache) {
    const std::vector<const Linear*> qkv{&w.linear(Role::attn_q), &w.linear(Role::attn_k), &w.linear(Role::attn_v)};
    std::vector<const Linear*> readers = qkv;
    for (const Role role : {Role::attn_q_adapter_in, Role::attn_k_adapter_in, Role::attn_v_adapter_in})
      readers.push_back(&w.linear(role));
    add_norm(tag(Component::attention, Operation::norm),
             NormStep::Operands{&layer.norm, w.norm(Role::block_norm), b_.residual, b_.block.joined, any_quantized(readers),
                                Scope::tokens, Scope::tokens, 1, b_.block.embedded.x});
    add_qkv(block.attention, w, cache, qkv, b_.block.joined);
    const Linear& output = w.linear(Role::attn_output);
    const Rows attended = add_attention(block.attention, output, cache);
    add_linear(Component::attention, output, attended, b_.projected, spec_.d_model, nullptr);
    compile_block_ffn(layer, block.ffn, w);
  }

  void compile_block_ffn(const LayerSpec& layer, const FfnSpec& ffn, const RoleWeights& w) {
    const Linear *gate = &w.linear(Role::ffn_gate_adapter_out), *up = &w.linear(Role::ffn_up_adapter_out);
    const Linear *down = &w.linear(Role::ffn_down), *out = &w.linear(Role::block_out), *adapter = &w.linear(Role::ffn_adapter_in);
    const Linear* const readers[] = {&w.linear(Role::ffn_gate), &w.linear(Role::ffn_up), adapter};
    add_norm(tag(Component::ffn, Operation::norm),
             NormStep::Operands{&layer.norm, w.norm(Role::ffn_norm), b_.projected, b_.normed, any_quantized(readers),
                                Scope::tokens, Scope::tokens});
    FfnInStep::Operands in = first_half(ffn, ffn.d_ff, w, Role::ffn_gate, Role::ffn_up, Role::ffn_down);
    if (adapter->is_there()) {
      const Linear* const seconds[] = {gate, up};
      in.adapter_in = add_adapter_in(Component::ffn, *adapter, b_.normed, seconds);
      if (in.gate) in.gate_adapter = gate;
      in.up_adapter = up;
    }
    add_ffn_in(in);
    add_linear(Component::ffn, *down, in.out, b_.projected, spec_.d_model, nullptr);
    const Linear* const last[] = {out};
    add_norm(tag(Component::ffn, Operation::norm),
             NormStep::Operands{nullptr, {}, b_.projected, b_.normed, any_quantized(last), Scope::tokens, Scope::tokens});
    add_linear(Component::ffn, *out, b_.normed, b_.block.out, spec_.d_model, nullptr);
  }

  Rows add_attention(const AttentionSpec& a, const Linear& output, const LayerCache& cache) {
    const Rows attended = narrowed(b_.attended, a.n_heads * a.head_dim);
    StepTag attention = tag(Component::attention, Operation::attention, a.head_dim);
    count_attention(attention, a, cache, 2);
    add<AttentionStep>(attention, AttentionStep::Operands{&a, b_.qkv, cache, attended, !output.takes_floats(), b_.partials,
                                                          b_.partials_stride, b_.scratch, b_.scratch_stride});
    return attended;
  }

  void compile_mixer(const LayerSpec& layer, const AttentionSpec& a, const RoleWeights& w, const LayerCache& cache) {
    if (a.latent) return compile_latent(layer, a, w, cache);
    std::vector<const Linear*> qkv;
    for (const Role role : {Role::attn_qkv, Role::attn_q, Role::attn_k, Role::attn_v})
      if (w.linear(role).is_there()) qkv.push_back(&w.linear(role));
    std::vector<const Linear*> readers = qkv; // of the normed stream
    if (layer.residual == Residual::parallel_shared)
      for (const Role role : kFfnReaders) readers.push_back(&w.linear(role));
    add_input(Component::attention, layer, w.norm(Role::attn_norm), readers);
    add_qkv(a, w, cache, std::move(qkv), b_.normed);

    // The norm of the FFN reads the stream before the attention's output is added. Here all have read the other norm, and the
    // barrier behind the attention comes before whatever changes the stream.
    if (layer.residual == Residual::parallel) add_ffn_input(layer, w);

    const Linear& output = w.linear(Role::attn_output);
    add_output(Component::attention, layer, output, add_attention(a, output, cache), w.norm(Role::attn_post_norm));
  }

  /// The norm of a recurrent layer and its first product, into recurrent.in.
  void add_recurrent_in(const LayerSpec& layer, const RoleWeights& w, const Linear& in) {
    const Linear* const readers[] = {&in};
    add_input(Component::attention, layer, w.norm(Role::attn_norm), readers);
    add_linear(Component::attention, in, b_.normed, b_.recurrent.in, in.weight.n_rows, nullptr);
  }

  /// kept: floats of the state; per token each is read and written, and ops operations are done for it.
  StepTag recurrence_tag(std::int64_t kept, std::int64_t ops) const {
    StepTag step_tag = tag(Component::attention, Operation::recurrence);
    step_tag.bytes_fixed = 2 * kept * static_cast<std::int64_t>(sizeof(float));
    step_tag.ops_per_token = step_tag.float_ops_per_token = ops * kept;
    return step_tag;
  }

  static Rows narrowed(Rows rows, int n_cols) {
    rows.n_cols = n_cols;
    return rows;
  }

  void add_conv(const RoleWeights& w, const float* x, std::size_t x_stride, int n_channels, int d_conv, const LayerCache& cache,
                bool quantize) {
    add<ConvStep>(recurrence_tag(std::int64_t{n_channels} * d_conv, 2),
                  ConvStep::Operands{x, x_stride, w.norm(Role::ssm_conv1d), d_conv, cache.past, Activation::silu,
                                     narrowed(b_.recurrent.convolved, n_channels), quantize});
  }

  void compile_mixer(const LayerSpec& layer, const MambaSpec& m, const RoleWeights& w, const LayerCache& cache) {
    RecurrentBuffers& r = b_.recurrent;
    const Linear &x = w.linear(Role::ssm_x), &out = w.linear(Role::ssm_out), &dt = w.linear(Role::ssm_dt);
    const std::size_t in_stride = 2 * static_cast<std::size_t>(m.d_inner);
    const Rows u = narrowed(r.convolved, m.d_inner), dt_rows = narrowed(r.dt, m.dt_rank), bc = narrowed(r.bc, 2 * m.d_state);
    add_recurrent_in(layer, w, w.linear(Role::ssm_in));
    add_conv(w, r.in, in_stride, m.d_inner, m.d_conv, cache, !x.takes_floats());
    add_linear(Component::attention, x, u, r.selected, x.weight.n_rows, nullptr);
    add<MambaSplitStep>(
        tag(Component::attention, Operation::norm),
        MambaSplitStep::Operands{&m, r.selected, layer.norm.eps, w.norm(Role::ssm_dt_norm), w.norm(Role::ssm_b_norm),
                                 w.norm(Role::ssm_c_norm), dt_rows, bc, !dt.takes_floats()});
    StepTag scan = recurrence_tag(std::int64_t{m.d_inner} * m.d_state, 6);
    count(scan, dt);
    const Rows y = narrowed(r.out, m.d_inner);
    add<MambaScanStep>(scan,
                       MambaScanStep::Operands{&m, &dt, dt_rows, bc, u.x, r.in + m.d_inner, in_stride, w.norm(Role::ssm_a).weight,
                                               w.norm(Role::ssm_d).weight, r.steps, cache.state, y, !out.takes_floats()});
    add_output(Component::attention, layer, out, y, w.norm(Role::attn_post_norm));
  }

  void compile_mixer(const LayerSpec& layer, const Mamba2Spec& m, const RoleWeights& w, const LayerCache& cache) {
    RecurrentBuffers& r = b_.recurrent;
    const Linear& out = w.linear(Role::ssm_out);
    const int n_in = m.d_inner() + m.n_channels() + m.n_heads;
    add_recurrent_in(layer, w, w.linear(Role::ssm_in));
    add_conv(w, r.in + m.d_inner(), static_cast<std::size_t>(n_in), m.n_channels(), m.d_conv, cache, false);
    add<Mamba2ScanStep>(recurrence_tag(std::int64_t{m.d_inner()} * m.d_state, 5),
                        Mamba2ScanStep::Operands{&m, r.in, r.convolved.x, w.norm(Role::ssm_dt).bias, w.norm(Role::ssm_a).weight,
                                                 w.norm(Role::ssm_d).weight, cache.state, r.steps});
    Rows normed = narrowed(r.out, m.d_inner());
    normed.own_rows = true;
    add_norm(tag(Component::attention, Operation::norm),
             NormStep::Operands{&layer.norm, w.norm(Role::ssm_norm), r.steps, normed, !out.takes_floats(), Scope::tokens,
                                Scope::tokens, m.n_groups});
    add_output(Component::attention, layer, out, normed, w.norm(Role::attn_post_norm));
  }

  void compile_mixer(const LayerSpec& layer, const ShortConvSpec& conv, const RoleWeights& w, const LayerCache& cache) {
    RecurrentBuffers& r = b_.recurrent;
    const Linear& out = w.linear(Role::shortconv_out_proj);
    const Rows y = narrowed(r.out, spec_.d_model);
    add_recurrent_in(layer, w, w.linear(Role::shortconv_in_proj));
    add<ShortConvStep>(
        recurrence_tag(std::int64_t{spec_.d_model} * conv.d_conv, 2),
        ShortConvStep::Operands{r.in, w.norm(Role::shortconv_conv).weight, conv.d_conv, cache.past, y, !out.takes_floats()});
    add_output(Component::attention, layer, out, y, w.norm(Role::attn_post_norm));
  }

  void compile_mixer(const LayerSpec& layer, const RgLruSpec& lru, const RoleWeights& w, const LayerCache& cache) {
    RecurrentBuffers& r = b_.recurrent;
    const Linear &input = w.linear(Role::rglru_input_gate), &recurrence = w.linear(Role::rglru_recurrence_gate);
    const Linear& out = w.linear(Role::rglru_out);
    const std::size_t in_stride = 2 * static_cast<std::size_t>(lru.d_inner);
    std::vector<Rows> blocks;
    for (int i = 0; i < lru.n_blocks; ++i)
      blocks.push_back(narrowed(r.blocks[static_cast<std::size_t>(i)], lru.d_inner / lru.n_blocks));
    add_recurrent_in(layer, w, w.linear(Role::rglru_in));
    add<ConvStep>(recurrence_tag(std::int64_t{lru.d_inner} * lru.d_conv, 2),
                  ConvStep::Operands{r.in, in_stride, w.norm(Role::rglru_conv1d), lru.d_conv, cache.past, std::nullopt,
                                     narrowed(r.convolved, lru.d_inner), false});
    const Linear* const gates[] = {&input, &recurrence};
    add<RgLruSplitStep>(tag(Component::attention, Operation::norm),
                        RgLruSplitStep::Operands{r.convolved.x, blocks, any_quantized(gates)});
    StepTag scan = recurrence_tag(lru.d_inner, 12);
    for (const Linear* gate : gates) count(scan, *gate);
    add<RgLruStep>(scan, RgLruStep::Operands{&lru, &input, &recurrence, w.norm(Role::rglru_a).weight, blocks, r.convolved.x,
                                             r.in + lru.d_inner, in_stride, r.gates[0], r.gates[1], cache.state, r.steps});
    Rows y = narrowed(r.out, lru.d_inner);
    y.own_rows = true;
    add_norm(tag(Component::attention, Operation::norm),
             NormStep::Operands{nullptr, {}, r.steps, y, !out.takes_floats(), Scope::tokens, Scope::tokens});
    add_output(Component::attention, layer, out, y, w.norm(Role::attn_post_norm));
  }

  void compile_latent(const LayerSpec& layer, const AttentionSpec& a, const RoleWeights& w, const LayerCache& cache) {
    const LatentSpec& latent = *a.latent;
    LatentBuffers& b = b_.latent;
    const Linear &q_a = w.linear(Role::attn_q_a), &q_b = w.linear(Role::attn_q_b), &q = w.linear(Role::attn_q);
    const Linear &kv_a = w.linear(Role::attn_kv_a), &k_b = w.linear(Role::attn_k_b), &v_b = w.linear(Role::attn_v_b);
    const Linear& output = w.linear(Role::attn_output);
    const Linear* const readers[] = {&q_a, &q, &kv_a};
    add_input(Component::attention, layer, w.norm(Role::attn_norm), readers);
    add_linear(Component::attention, kv_a, b_.normed, b.kv, kv_a.weight.n_rows, nullptr);
    if (latent.q_rank != 0) {
      Rows normed = b.q_normed;
      normed.n_cols = latent.q_rank;
      add_linear(Component::attention, q_a, b_.normed, b.q_latent, latent.q_rank, nullptr);
      add_norm(tag(Component::attention, Operation::norm),
               NormStep::Operands{&latent.norm, w.norm(Role::attn_q_a_norm), b.q_latent, normed, !q_b.takes_floats(),
                                  Scope::tokens, Scope::tokens});
      add_linear(Component::attention, q_b, normed, b.q, q_b.weight.n_rows, nullptr);
    } else {
      add_linear(Component::attention, q, b_.normed, b.q, q.weight.n_rows, nullptr);
    }

    plan_.latent_specs.push_back(std::make_unique<const AttentionSpec>(as_cached(a)));
    const AttentionSpec& cached = *plan_.latent_specs.back();
    StepTag query = tag(Component::attention, Operation::mul_mat);
    count(query, k_b);
    add<LatentQueryStep>(query, LatentQueryStep::Operands{&a, &k_b, w.norm(Role::attn_kv_a_norm), b_.find_rotation(*a.rope), b.q,
                                                          b.kv, b_.qkv, cache, b_.scratch, b_.scratch_stride});
    StepTag attention = tag(Component::attention, Operation::attention, cached.head_dim), keys = attention;
    count_attention(attention, cached, cache, 1);
    keys.bytes_per_position = attention.bytes_per_position;
    add<LatentKeysStep>(keys, cache, cached.head_dim);
    Rows sums = b_.attended;
    sums.n_cols = a.n_heads * cached.head_dim;
    add<AttentionStep>(attention, AttentionStep::Operands{&cached, b_.qkv, cache, sums, false, b_.partials, b_.partials_stride,
                                                          b_.scratch, b_.scratch_stride});
    StepTag value = tag(Component::attention, Operation::mul_mat);
    count(value, v_b);
    Rows values = b.values;
    values.n_cols = a.n_heads * latent.v_dim;
    add<LatentValueStep>(
        value, LatentValueStep::Operands{&a, &v_b, sums.x, values, !output.takes_floats(), b_.scratch, b_.scratch_stride});
    add_output(Component::attention, layer, output, values, w.norm(Role::attn_post_norm));
  }

  void add_ffn_input(const LayerSpec& layer, const RoleWeights& w) {
    std::vector<const Linear*> readers;
    for (const Role role : kFfnReaders) readers.push_back(&w.linear(role));
    add_input(Component::ffn, layer, w.norm(Role::ffn_norm), readers);
  }

  void compile_ffn(const LayerSpec& layer, const FfnSpec& ffn, const RoleWeights& w) {
    if (layer.residual == Residual::sequential) add_ffn_input(layer, w);
    if (ffn.experts) return compile_experts(layer, ffn, *ffn.experts, w);
    const FfnInStep::Operands in = first_half(ffn, ffn.d_ff, w, Role::ffn_gate, Role::ffn_up, Role::ffn_down);
    add_ffn_in(in);
    add_output(Component::ffn, layer, w.linear(Role::ffn_down), in.out, w.norm(Role::ffn_post_norm));
  }

  FfnInStep::Operands first_half(const FfnSpec& ffn, int d_ff, const RoleWeights& w, Role gate, Role up, Role down) const {
    Rows inner = b_.inner;
    inner.n_cols = d_ff;
    return {ffn.activation, ffn.kind == FfnKind::gated ? &w.linear(gate) : nullptr,
            &w.linear(up),  b_.normed,
            inner,          !w.linear(down).takes_floats(),
            b_.scratch,     b_.scratch_stride};
  }

  StepTag ffn_in_tag(const FfnInStep::Operands& in) const {
    StepTag step_tag = tag(Component::ffn, Operation::mul_mat, in.out.n_cols);
    step_tag.activation = in.activation;
    return step_tag;
  }

  void add_ffn_in(const FfnInStep::Operands& in) {
    StepTag step_tag = ffn_in_tag(in);
    count(step_tag, *in.up);
    for (const Linear* other : {in.gate, in.gate_adapter, in.up_adapter})
      if (other) count(step_tag, *other);
    add<FfnInStep>(step_tag, in);
  }

  void compile_experts(const LayerSpec& layer, const FfnSpec& ffn, const ExpertsSpec& experts, const RoleWeights& w) {
    const bool shared = experts.shared_d_ff != 0;
    Routing routing = b_.routing;
    if (!experts.shared_gate) routing.shared_weights = nullptr;
    StepTag route = tag(Component::ffn, Operation::mul_mat);
    count(route, w.linear(Role::ffn_router));
    const Linear* shared_gate = experts.shared_gate ? &w.linear(Role::ffn_shexp_gate) : nullptr;
    if (shared_gate) count(route, *shared_gate);
    add<RouteStep>(route, RouteStep::Operands{&experts, &w.linear(Role::ffn_router), shared_gate, b_.normed, routing, b_.scratch,
                                              b_.scratch_stride});

    FfnInStep::Operands shared_in{};
    if (shared) {
      shared_in = first_half(ffn, experts.shared_d_ff, w, Role::ffn_gate_shexp, Role::ffn_up_shexp, Role::ffn_down_shexp);
      add_ffn_in(shared_in);
    }
    FfnInStep::Operands in = first_half(ffn, ffn.d_ff, w, Role::ffn_gate_exps, Role::ffn_up_exps, Role::ffn_down_exps);
    in.out = b_.expert_inner;
    in.out.n_cols = ffn.d_ff;
    StepTag experts_in = ffn_in_tag(in);
    count_experts(experts_in, *in.up, experts.n_used);
    if (in.gate) count_experts(experts_in, *in.gate, experts.n_used);
    add<ExpertsInStep>(experts_in, ExpertsInStep::Operands{in, routing, b_.gathered, b_.n_gathered});

    const Linear& down = w.linear(Role::ffn_down_exps);
    const Linear* shared_down = shared ? &w.linear(Role::ffn_down_shexp) : nullptr;
    StepTag experts_out = tag(Component::ffn, Operation::mul_mat);
    count_experts(experts_out, down, experts.n_used);
    if (shared_down) count(experts_out, *shared_down);
    add<ExpertsOutStep>(experts_out,
                        ExpertsOutStep::Operands{&down, in.out, shared_down, shared_in.out, routing, b_.projected,
                                                 adds_to_stream(layer), layer.residual_scale, b_.scratch, b_.scratch_stride});
    add_post_norm(Component::ffn, layer, w.norm(Role::ffn_post_norm));
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

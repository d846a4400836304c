// Steps that work on one token's row at a time.
#include "kernels/pack.h"
#include "lib/decoder/steps.h"
#include "quant/quant.h"

namespace mote::decoder {

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

} // namespace

EmbedStep::EmbedStep(const runtime::StepTag& step_tag, const weights::Weights& weights, Buffers& buffers, int d_model)
    : Step(step_tag), weights_(weights), buffers_(buffers), d_model_(d_model) {}

void EmbedStep::run(const Pass& pass, Items items) const noexcept {
  const weights::Matrix& table = weights_.model.linear(weights::Role::token_embd).weight;
  const float* positions = weights_.model.norm(weights::Role::pos_embd).weight;
  const std::size_t panel_bytes = kernels::panel_bytes(table.type, d_model_);
  int first, last;
  while (items.take(pass.n_tokens(), 1, first, last)) {
    const int token = pass.tokens[size(first)], pos = pass.first_pos + first;
    float* x = buffers_.residual + size(first) * size(d_model_);
    // the row's file bytes fit where its quantized form will be; no type is wider than a float
    auto* bytes = reinterpret_cast<std::byte*>(buffers_.projected + size(first) * size(d_model_));
    kernels::unpack_row(table.type, table.panels + size(token / kernels::kPanelRows) * panel_bytes, token % kernels::kPanelRows,
                        d_model_, bytes);
    quant::dequantize(table.type, bytes, {x, size(d_model_)});
    if (positions) pass.kernels->add(positions + size(pos) * size(d_model_), d_model_, x);
    for (Rotation& rotation : buffers_.rotations) {
      const std::size_t at = size(first) * size(rotation.table.n_pairs());
      rotation.table.fill(pos, rotation.cos + at, rotation.sin + at);
    }
  }
}

void NormStep::normalize(const Pass& pass, int token, int row) const noexcept {
  const int n = o_.out.n_cols;
  const float* x = o_.x + size(token) * size(n);
  float* out = o_.out.x + size(row) * size(n);
  if (o_.spec.kind == NormKind::rms) pass.kernels->rms_norm(x, o_.norm.weight, o_.spec.eps, n, out);
  else pass.kernels->layer_norm(x, o_.norm.weight, o_.norm.bias, o_.spec.eps, n, out);
  if (o_.quantize) pass.kernels->quantize_row(out, 0, n, o_.out.act + size(row) * o_.out.act_stride());
}

void NormStep::run(const Pass& pass, Items items) const noexcept {
  const int n_tokens = count_of(o_.scope, pass), skipped = pass.n_tokens() - n_tokens;
  if (!ends_at_barrier(pass)) return normalize(pass, skipped, items.thread());
  int first, last;
  while (items.take(n_tokens, n_tokens, first, last))
    for (int token = first; token < last; ++token) normalize(pass, skipped + token, token);
}

} // namespace mote::decoder

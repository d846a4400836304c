// Steps that work on one token's row at a time.
#include <algorithm>

#include "kernels/pack.h"
#include "lib/decoder/steps.h"
#include "quant/quant.h"

namespace mote::decoder {

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

} // namespace

void normalize_row(const kernels::KernelTable& kernels, const NormSpec& spec, const weights::Norm& norm, const float* x, int n,
                   float* out) {
  if (spec.kind == NormKind::rms) kernels.rms_norm(x, norm.weight, spec.eps, n, out);
  else kernels.layer_norm(x, norm.weight, norm.bias, spec.eps, n, out);
}

void EmbedStep::embed(const Pass& pass, int token) const noexcept {
  const weights::Matrix& table = weights_.model.linear(weights::Role::token_embd).weight;
  const kernels::KernelTable& kernels = *pass.kernels;
  const int n = out_.n_cols, id = pass.tokens[size(token)];
  float* x = out_.x + size(token) * size(n);
  // the row's file bytes fit where what is added to the stream will be; no type is wider than a float
  auto* bytes = reinterpret_cast<std::byte*>(buffers_.projected + size(token) * size(n));
  kernels::unpack_row(table.type, table.panels + size(id / kernels::kPanelRows) * kernels::panel_bytes(table.type, n),
                      id % kernels::kPanelRows, n, bytes);
  quant::dequantize(table.type, bytes, {x, size(n)});
  if (spec_.scale != 1) kernels.scale(spec_.scale, n, x);
  float* stream = buffers_.residual + size(token) * size(d_model_); // x itself unless a projection is added to it
  if (stream != x) std::fill(stream, stream + d_model_, 0.0f);
  if (spec_.n_positions != 0) {
    const int row = pass.first_pos + token + spec_.first_position;
    kernels.add(1, weights_.model.norm(weights::Role::pos_embd).weight + size(row) * size(d_model_), d_model_, stream);
  }
  if (spec_.norm) normalize_row(kernels, *spec_.norm, weights_.model.norm(weights::Role::embd_norm), x, n, x);
  if (quantize_) kernels.quantize_row(x, 0, n, out_.act + size(token) * out_.act_stride());
}

void EmbedStep::run(const Pass& pass, Items items) const noexcept {
  int token, last;
  while (items.take(pass.n_tokens(), 1, token, last)) {
    embed(pass, token);
    for (Rotation& rotation : buffers_.rotations) {
      const std::size_t at = size(token) * size(rotation.table.n_pairs());
      rotation.table.fill(pass.first_pos + token, rotation.cos + at, rotation.sin + at);
    }
  }
}

void NormStep::normalize(const Pass& pass, int token, int row) const noexcept {
  const int n = o_.out.n_cols, n_group = n / o_.n_groups, n_x = o_.beside ? n / 2 : n;
  const float* x = o_.x + size(token) * size(n_x);
  float* out = o_.out.x + size(row) * size(n);
  if (o_.beside || o_.plus) {
    std::copy(x, x + n_x, out);
    if (o_.beside) std::copy_n(o_.beside + size(row) * size(n_x), n_x, out + n_x);
    else pass.kernels->add(1, o_.plus + size(token) * size(n), n, out);
    x = out;
  }
  const auto of_group = [](const float* p, int i) { return p ? p + i : nullptr; };
  if (!o_.spec) std::copy(x, x + n, out);
  else
    for (int i = 0; i < n; i += n_group)
      normalize_row(*pass.kernels, *o_.spec, {of_group(o_.norm.weight, i), of_group(o_.norm.bias, i)}, x + i, n_group, out + i);
  if (o_.quantize) pass.kernels->quantize_row(out, 0, n, o_.out.act + size(row) * o_.out.act_stride());
}

void NormStep::run(const Pass& pass, Items items) const noexcept {
  const int n_tokens = count_of(o_.scope, pass), skipped = count_of(o_.x_scope, pass) - n_tokens;
  if (!ends_at_barrier(pass)) return normalize(pass, skipped, items.thread());
  int first, last;
  while (items.take(n_tokens, n_tokens, first, last))
    for (int token = first; token < last; ++token) normalize(pass, skipped + token, token);
}

void AddNormedStep::run(const Pass& pass, Items items) const noexcept {
  const kernels::KernelTable& kernels = *pass.kernels;
  const int n = o_.d_model;
  int first, last;
  while (items.take(pass.n_tokens(), pass.n_tokens(), first, last)) {
    for (int token = first; token < last; ++token) {
      float *x = o_.x + size(token) * size(n), *stream = o_.stream + size(token) * size(n);
      if (o_.placement != NormPlacement::post) normalize_row(kernels, o_.spec, o_.norm, x, n, x);
      kernels.add(o_.scale, x, n, stream);
      if (o_.placement == NormPlacement::post) normalize_row(kernels, o_.spec, o_.norm, stream, n, stream);
    }
  }
}

} // namespace mote::decoder

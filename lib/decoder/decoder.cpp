#include "lib/decoder/decoder.h"

#include <algorithm>

#include "lib/decoder/compile.h"

namespace mote::decoder {

Result<std::unique_ptr<Decoder>> Decoder::create(const ModelSpec& spec, const weights::Weights& weights,
                                                 const kernels::KernelTable& kernels, const DecoderOptions& options) {
  std::unique_ptr<Decoder> decoder(new Decoder(spec, kernels, options));
  if (Status status = decoder->allocate(weights); !status) return std::move(status).error();
  return decoder;
}

Status Decoder::allocate(const weights::Weights& weights) {
  auto pool = runtime::ThreadPool::create(options_.n_threads);
  if (!pool) return std::move(pool).error();
  pool_ = *std::move(pool);

  runtime::Arena measured;
  BufferSizes sizes{options_.n_batch, options_.n_threads, options_.n_ctx};
  using enum weights::Role;
  for (const auto& layer : weights.layers)
    for (const weights::Role role : {ffn_down, ffn_down_exps, ffn_down_shexp}) {
      const weights::Linear& down = layer.linear(role);
      sizes.inner_floats |= down.weight.panels && down.takes_floats();
    }
  take_buffers(spec_, sizes, measured);
  auto memory = runtime::Buffer::allocate(measured.used());
  if (!memory) return std::move(memory).error();
  buffer_memory_ = *std::move(memory);
  runtime::Arena arena({buffer_memory_.data(), buffer_memory_.size()});
  buffers_ = take_buffers(spec_, sizes, arena);

  runtime::Arena measured_cache;
  take_cache(spec_, options_.n_ctx, options_.kv_type, measured_cache);
  auto cache = runtime::Buffer::allocate(measured_cache.used());
  if (!cache) return std::move(cache).error();
  cache_memory_ = *std::move(cache);
  runtime::Arena cache_arena({cache_memory_.data(), cache_memory_.size()});
  cache_ = take_cache(spec_, options_.n_ctx, options_.kv_type, cache_arena);

  plan_ = compile(spec_, weights, buffers_, cache_);
  for (auto& counters : counters_) counters = std::vector<ShareCounter>(static_cast<std::size_t>(options_.n_threads));
  if (options_.profile) {
    std::vector<runtime::StepTag> tags;
    for (const auto& step : plan_.steps) tags.push_back(step->tag);
    recorder_.emplace(std::move(tags), options_.n_threads, options_.n_ctx);
  }
  return {};
}

void Decoder::decode(std::span<const std::int32_t> tokens, std::span<float> all_logits) noexcept {
  if (recorder_) recorder_->begin_call(static_cast<int>(tokens.size()));
  const auto n_vocab = static_cast<std::size_t>(spec_.n_vocab);
  float* out = all_logits.data();
  while (!tokens.empty()) {
    Pass pass;
    pass.kernels = &kernels_;
    pass.tokens = tokens.first(std::min(tokens.size(), static_cast<std::size_t>(options_.n_batch)));
    pass.first_pos = position_;
    tokens = tokens.subspan(pass.tokens.size());
    pass.n_outputs = out ? pass.n_tokens() : tokens.empty() ? 1 : 0;
    pass.logits = out ? out : buffers_.logits;
    run_pass(pass);
    if (out) out += pass.tokens.size() * n_vocab;
    position_ += pass.n_tokens();
  }
  if (out) std::copy(out - n_vocab, out, buffers_.logits);
  logits_ = buffers_.logits;
  if (recorder_) recorder_->end_call();
}

void Decoder::run_pass(const Pass& pass) noexcept {
  pass_ = pass;
  if (recorder_) recorder_->begin_pass(pass.n_tokens(), pass.first_pos, pass.n_outputs);
  pool_->run(run_steps, this);
}

void Decoder::run_steps(void* decoder, int thread) noexcept {
  Decoder& d = *static_cast<Decoder*>(decoder);
  const std::size_t n_steps = d.pass_.n_outputs > 0 ? d.plan_.steps.size() : d.plan_.n_body;
  runtime::Recorder* recorder = d.recorder();
  if (recorder) recorder->start(thread);
  // Two sets of counters take turns. Behind a barrier nobody uses the set of the step before it, and nobody will until the next
  // barrier: that is when each thread makes its counter ready again.
  std::size_t set = 0;
  const auto reset = [&](std::size_t i) {
    d.counters_[i][static_cast<std::size_t>(thread)].taken.store(0, std::memory_order_relaxed);
  };
  for (std::size_t i = 0; i < n_steps; ++i) {
    const Step& step = *d.plan_.steps[i];
    step.run(d.pass_, Items(d.counters_[set], thread));
    if (recorder) recorder->worked(thread, static_cast<int>(i));
    if (!step.ends_at_barrier(d.pass_)) continue;
    d.pool_->barrier();
    if (recorder) recorder->waited(thread, static_cast<int>(i));
    reset(set);
    set = 1 - set;
  }
}

} // namespace mote::decoder

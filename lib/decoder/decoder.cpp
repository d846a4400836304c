#include "lib/decoder/decoder.h"

#include <algorithm>
#include <utility>

#include "lib/decoder/compile.h"
#include "lib/runtime/cpus.h"

namespace mote::decoder {
namespace {

BufferSizes buffer_sizes(const DecoderOptions& options, bool inner_floats) {
  return {options.n_batch, options.n_threads, options.n_ctx, inner_floats};
}

bool inner_floats(const weights::Weights& weights) {
  using enum weights::Role;
  for (const auto& layer : weights.layers)
    for (const weights::Role role : {ffn_down, ffn_down_exps, ffn_down_shexp}) {
      const weights::Linear& down = layer.linear(role);
      if (down.weight.panels && down.takes_floats()) return true;
    }
  return false;
}

} // namespace

SessionBytes session_bytes(const ModelSpec& spec, const DecoderOptions& options, bool inner_floats) {
  runtime::Arena compute, kv, states;
  take_buffers(spec, buffer_sizes(options, inner_floats), compute);
  take_cache(spec, options.n_ctx, options.kv_type, kv, states);
  return {kv.used(), states.used(), compute.used()};
}

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

  const bool floats = inner_floats(weights);
  bytes_ = session_bytes(spec_, options_, floats);
  for (const auto& [memory, n_bytes] : {std::pair{&buffer_memory_, bytes_.compute}, std::pair{&cache_memory_, bytes_.kv_cache},
                                        std::pair{&state_memory_, bytes_.state}}) {
    auto allocated = runtime::Buffer::allocate(n_bytes);
    if (!allocated) return std::move(allocated).error();
    *memory = *std::move(allocated);
  }
  runtime::Arena arena(buffer_memory_.span()), kv(cache_memory_.span()), states(state_memory_.span());
  buffers_ = take_buffers(spec_, buffer_sizes(options_, floats), arena);
  cache_ = take_cache(spec_, options_.n_ctx, options_.kv_type, kv, states);

  plan_ = compile(spec_, weights, buffers_, cache_);
  for (auto& counters : counters_) counters = std::vector<ShareCounter>(static_cast<std::size_t>(options_.n_threads));
  if (options_.profile) {
    std::vector<runtime::StepTag> tags;
    for (const auto& step : plan_.steps) tags.push_back(step->tag);
    recorder_.emplace(std::move(tags), options_.n_threads, options_.n_ctx, options_.trace_events);
    recording_ = &*recorder_;
  }
  return {};
}

void Decoder::decode(std::span<const std::int32_t> tokens, std::span<float> all_logits) noexcept {
  if (recording_) recording_->begin_call(static_cast<int>(tokens.size()));
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
  if (recording_) recording_->end_call();
}

void Decoder::run_pass(const Pass& pass) noexcept {
  pass_ = pass;
  // More threads than processors would wait for each other to get one. Asked anew each time, for processors are taken away and
  // given back.
  n_running_ = std::min(options_.n_threads, runtime::available_cpu_count());
  if (recording_) recording_->begin_pass(pass.n_tokens(), pass.first_pos, pass.n_outputs, n_running_);
  pool_->run(n_running_, run_steps, this);
  if (recording_) recording_->end_pass(static_cast<int>(steps_of_pass()) - 1);
}

void Decoder::run_steps(void* decoder, int thread) noexcept {
  Decoder& d = *static_cast<Decoder*>(decoder);
  const std::size_t n_steps = d.steps_of_pass();
  runtime::Recorder* recorder = d.recording_;
  if (recorder) recorder->start(thread);
  // Two sets of counters take turns. Behind a barrier nobody uses the set of the step before it, and nobody will until the next
  // barrier: that is when each thread makes its counter ready again.
  std::size_t set = 0;
  const auto reset = [&](std::size_t i) {
    d.counters_[i][static_cast<std::size_t>(thread)].taken.store(0, std::memory_order_relaxed);
  };
  for (std::size_t i = 0; i < n_steps; ++i) {
    const Step& step = *d.plan_.steps[i];
    step.run(d.pass_, Items(std::span(d.counters_[set]).first(static_cast<std::size_t>(d.n_running_)), thread));
    if (recorder) recorder->worked(thread, static_cast<int>(i));
    if (!step.ends_at_barrier(d.pass_)) continue;
    d.pool_->barrier();
    if (recorder) recorder->waited(thread, static_cast<int>(i));
    reset(set);
    set = 1 - set;
  }
}

} // namespace mote::decoder

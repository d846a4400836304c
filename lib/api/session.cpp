#include "mote/session.h"

#include <string>

#include "lib/api/guard.h"
#include "lib/api/model_impl.h"
#include "lib/api/session_options.h"
#include "lib/decoder/decoder.h"

namespace mote {

struct Session::Impl {
  Model model; // keeps the weights alive
  std::unique_ptr<decoder::Decoder> decoder;
};

Session::Session(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

namespace {

Error invalid(std::string message) { return {ErrorCode::invalid_argument, std::move(message)}; }

} // namespace

Result<Session> Session::create(const Model& model, const SessionOptions& options) {
  return api::guard([&]() -> Result<Session> {
    const Model::Impl& m = *model.impl();
    const auto resolved = api::resolve(options, m.spec.n_ctx);
    if (!resolved) return resolved.error();
    auto decoder = decoder::Decoder::create(m.spec, m.weights, *m.kernels, *resolved);
    if (!decoder) return std::move(decoder).error();
    return Session(std::unique_ptr<Impl>(new Impl{model, *std::move(decoder)}));
  });
}

Status Session::decode(std::span<const std::int32_t> tokens) { return decode(tokens, {}); }

Status Session::decode(std::span<const std::int32_t> tokens, std::span<float> all_logits) {
  return api::guard([&]() -> Status {
    decoder::Decoder& decoder = *impl_->decoder;
    const int n_vocab = impl_->model.spec().n_vocab, room = decoder.options().n_ctx - decoder.position();
    if (tokens.empty()) return invalid("decode was given no tokens");
    if (tokens.size() > static_cast<std::size_t>(room))
      return Error{ErrorCode::context_full, "the context of " + std::to_string(decoder.options().n_ctx) +
                                                " positions has room for " + std::to_string(room) + " more tokens, " +
                                                std::to_string(tokens.size()) + " were given"};
    for (std::size_t i = 0; i < tokens.size(); ++i)
      if (tokens[i] < 0 || tokens[i] >= n_vocab)
        return invalid("token " + std::to_string(i) + " is " + std::to_string(tokens[i]) + ", expected 0.." +
                       std::to_string(n_vocab - 1));
    if (!all_logits.empty() && all_logits.size() != tokens.size() * static_cast<std::size_t>(n_vocab))
      return invalid("all_logits has " + std::to_string(all_logits.size()) + " elements, expected " +
                     std::to_string(tokens.size()) + " x " + std::to_string(n_vocab));
    decoder.decode(tokens, all_logits);
    return {};
  });
}

std::span<const float> Session::logits() const noexcept { return impl_->decoder->logits(); }
int Session::position() const noexcept { return impl_->decoder->position(); }
int Session::n_ctx() const noexcept { return impl_->decoder->options().n_ctx; }
int Session::n_threads() const noexcept { return impl_->decoder->options().n_threads; }

Status Session::truncate(int n_keep) {
  return api::guard([&]() -> Status {
    if (n_keep < 0 || n_keep > position())
      return invalid("n_keep is " + std::to_string(n_keep) + ", expected 0.." + std::to_string(position()));
    if (n_keep != 0 && n_keep != position() && is_recurrent(impl_->model.spec()))
      return Error{ErrorCode::unsupported, "n_keep is " + std::to_string(n_keep) + ", expected 0 or " +
                                               std::to_string(position()) +
                                               ": a recurrent model's state cannot go back by some tokens"};
    impl_->decoder->truncate(n_keep);
    return {};
  });
}

Profile Session::profile() const {
  const runtime::Recorder* recorder = impl_->decoder->recorder();
  return recorder ? recorder->report() : Profile{};
}

std::vector<TraceEvent> Session::trace() const {
  const runtime::Recorder* recorder = impl_->decoder->recorder();
  return recorder ? recorder->trace() : std::vector<TraceEvent>();
}

void Session::set_profiling(bool on) noexcept { impl_->decoder->set_recording(on); }

void Session::reset_profile() noexcept {
  if (runtime::Recorder* recorder = impl_->decoder->recorder()) recorder->reset();
}

MemoryUse Session::memory() const noexcept {
  MemoryUse memory = impl_->model.memory();
  const decoder::SessionBytes& bytes = impl_->decoder->bytes();
  memory.kv_cache = bytes.kv_cache;
  memory.state = bytes.state;
  memory.compute = bytes.compute;
  return memory;
}

} // namespace mote

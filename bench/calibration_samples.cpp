#include "bench/calibration_samples.h"

#include <algorithm>
#include <chrono>

#include "bench/statistics.h"

namespace bench {
namespace {

using mote::Result;
using mote::Status;
using Clock = std::chrono::steady_clock;

constexpr int kBatch = 256, kTokensInRow = 4;

double ns_since(Clock::time_point begin) { return std::chrono::duration<double, std::nano>(Clock::now() - begin).count(); }

/// A session that runs a pass again and again.
class Sampling {
 public:
  Sampling(mote::Session session, mote::Sampler sampler, std::vector<mote::StepWork> work, int n_vocab, bool recurrent)
      : session_(std::move(session)),
        sampler_(std::move(sampler)),
        work_(std::move(work)),
        n_vocab_(n_vocab),
        recurrent_(recurrent),
        weight_bytes_(weight_bytes(work_)) {
    for (int i = 0; i < kBatch; ++i) tokens_.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(i) * 7919 % n_vocab));
  }

  /// n_tokens from position first_pos on, after one run to warm up. Of single tokens several in a row, as they come when text is
  /// generated; first_pos is that of the one in the middle.
  Status sample(int n_tokens, int first_pos, int n_runs, Samples& samples) {
    const int n_calls = n_tokens == 1 ? kTokensInRow : 1,
              begin = n_tokens == 1 ? std::max(0, first_pos - n_calls / 2) : first_pos;
    std::vector<std::vector<double>> times(work_.size()), waits(work_.size());
    std::vector<double> walls, choices;
    for (int run = -1; run < n_runs; ++run) {
      if (Status s = go_to(begin); !s) return s;
      session_.reset_profile();
      double choosing = 0;
      for (int call = 0; call < n_calls; ++call) {
        if (Status s = decode(n_tokens); !s) return s;
        const auto decoded = Clock::now();
        sampler_.sample(session_.logits());
        choosing += ns_since(decoded);
      }
      if (run < 0) continue;
      const mote::Profile profile = session_.profile();
      const mote::PhaseProfile& phase = n_tokens > 1 ? profile.prefill : profile.decode;
      const auto mean = [&](double sum) { return sum / n_calls; };
      for (std::size_t i = 0; i < work_.size(); ++i) {
        const auto wait_ns = static_cast<double>(phase.steps[i].wait_ns);
        waits[i].push_back(mean(wait_ns));
        times[i].push_back(mean(static_cast<double>(phase.steps[i].work_ns) + wait_ns));
      }
      walls.push_back(mean(static_cast<double>(phase.wall_ns)));
      choices.push_back(mean(choosing));
    }
    PassSample pass{n_tokens, median(walls), 0, median(choices), n_vocab_};
    for (std::size_t i = 0; i < work_.size(); ++i) {
      samples.steps.push_back(
          {work_[i], work_[i].outputs_only ? 1 : n_tokens, first_pos, median(times[i]), median(waits[i]), weight_bytes_});
      pass.steps_ns += samples.steps.back().ns;
    }
    samples.passes.push_back(pass);
    return {};
  }

 private:
  /// Single tokens of a recurrent model go on from where they are: their time does not depend on the position.
  Status go_to(int position) {
    if (recurrent_ && position > 0 && session_.position() >= position) return {};
    if (session_.position() > position && !(recurrent_ && position > 0)) return session_.truncate(position);
    while (session_.position() < position)
      if (Status s = decode(std::min(kBatch, position - session_.position())); !s) return s;
    return {};
  }

  Status decode(int n_tokens) { return session_.decode({tokens_.data(), static_cast<std::size_t>(n_tokens)}); }

  mote::Session session_;
  mote::Sampler sampler_;
  std::vector<mote::StepWork> work_;
  int n_vocab_;
  bool recurrent_;
  double weight_bytes_;
  std::vector<std::int32_t> tokens_;
};

Result<Sampling> make_sampling(const SampleModel& sampled, mote::Isa isa, int n_threads) {
  const Result<mote::ModelSpec> spec = mote::spec_from_shape(sampled.shape);
  if (!spec) return spec.error();
  mote::ModelOptions options;
  options.isa = isa;
  const Result<mote::Model> model = mote::Model::random(*spec, sampled.mix, 0, options);
  if (!model) return model.error();
  mote::SessionOptions session_options;
  session_options.n_threads = n_threads;
  session_options.n_batch = kBatch;
  session_options.profile = true;
  Result<mote::Session> session = mote::Session::create(*model, session_options);
  if (!session) return std::move(session).error();
  Result<mote::Sampler> sampler = mote::Sampler::create();
  if (!sampler) return std::move(sampler).error();
  Result<std::vector<mote::StepWork>> work = mote::work_of(*spec, sampled.mix);
  if (!work) return std::move(work).error();
  return Sampling(*std::move(session), *std::move(sampler), *std::move(work), spec->n_vocab, mote::is_recurrent(*spec));
}

} // namespace

double weight_bytes(const std::vector<mote::StepWork>& steps) {
  double bytes = 0;
  for (const mote::StepWork& step : steps)
    for (const mote::ProductWork& p : step.products)
      bytes += static_cast<double>(p.n_rows) * (p.n_used ? p.n_used : p.n_parts) *
               static_cast<double>(mote::row_bytes(p.type, static_cast<std::size_t>(p.n_cols)));
  return bytes;
}

Status take_samples(const SampleModel& model, mote::Isa isa, int n_threads, Samples& samples) {
  Result<Sampling> sampling = make_sampling(model, isa, n_threads);
  if (!sampling) return std::move(sampling).error();
  constexpr int kSingleTokenPosition = 8;
  for (const int n_tokens : model.prompts) {
    const int first_pos = n_tokens == 1 ? kSingleTokenPosition : 0;
    const int n_runs = n_tokens == 1 ? 2 * model.n_runs : n_tokens < 64 ? model.n_runs : (model.n_runs + 1) / 2;
    if (Status s = sampling->sample(n_tokens, first_pos, n_runs, samples); !s) return s;
  }
  for (const int position : model.positions)
    if (Status s = sampling->sample(1, position, model.n_runs, samples); !s) return s;
  return {};
}

} // namespace bench

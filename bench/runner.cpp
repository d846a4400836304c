#include "bench/runner.h"

#include <fmt/format.h>

#include <utility>

#include "bench/clock.h"

namespace bench {

using mote::Result;
using mote::Status;

namespace {

std::int64_t ns_of(Clock::time_point time) { return ns_between({}, time); }

Usage read(Meters* meters) { return meters ? meters->read() : Usage{}; }

} // namespace

Result<Runner> Runner::create(const mote::Model& model, const mote::SessionOptions& options, std::vector<std::int32_t> prompt) {
  Result<mote::Session> session = mote::Session::create(model, options);
  if (!session) return std::move(session).error();
  Result<mote::Sampler> sampler = mote::Sampler::create();
  if (!sampler) return std::move(sampler).error();
  return Runner(*std::move(session), *std::move(sampler), std::move(prompt));
}

Result<Runner::Trials> Runner::run(int n_generate, Meters* meters) {
  Trials trials;
  if (Status s = session_.truncate(0); !s) return std::move(s).error();
  if (Status s = prefill(trials, meters); !s) return std::move(s).error();
  if (Status s = decode(trials.decode, n_generate, meters); !s) return std::move(s).error();
  return trials;
}

Status Runner::start() {
  if (Status s = session_.truncate(0); !s) return s;
  if (Status s = session_.decode(prompt_); !s) return s;
  return choose_token();
}

Status Runner::step() {
  if (Status s = session_.decode({&token_, 1}); !s) return s;
  return choose_token();
}

Status Runner::choose_token() {
  token_ = sampler_.sample(session_.logits());
  if (token_ >= 0) return {};
  return mote::Error{mote::ErrorCode::bad_file, fmt::format("the logits at position {} hold no number", session_.position() - 1)};
}

Status Runner::prefill(Trials& trials, Meters* meters) {
  Trial& trial = trials.prefill;
  session_.reset_profile();
  const Usage before = read(meters);
  const auto begin = Clock::now();
  if (Status s = session_.decode(prompt_); !s) return s;
  const auto computed = Clock::now();
  if (Status s = choose_token(); !s) return s;
  trials.time_to_first_token_ns = ns_since(begin);
  trial.usage = read(meters) - before;
  trial.begin_ns = ns_of(begin);
  trial.wall_ns = ns_between(begin, computed);
  mote::Profile profile = session_.profile();
  trial.profile = std::move(prompt_.size() > 1 ? profile.prefill : profile.decode);
  trial.events = session_.trace();
  return {};
}

Status Runner::decode(Trial& trial, int n_generate, Meters* meters) {
  trial.token_ns.reserve(static_cast<std::size_t>(n_generate));
  session_.reset_profile();
  const Usage before = read(meters);
  const auto begin = Clock::now();
  auto last = begin;
  for (int i = 0; i < n_generate; ++i) {
    if (Status s = session_.decode({&token_, 1}); !s) return s;
    const auto computed = Clock::now();
    if (Status s = choose_token(); !s) return s;
    const auto chosen = Clock::now();
    trial.sample_ns += ns_between(computed, chosen);
    trial.token_ns.push_back(ns_between(last, chosen));
    last = chosen;
  }
  trial.usage = read(meters) - before;
  trial.begin_ns = ns_of(begin);
  trial.wall_ns = ns_between(begin, last);
  trial.profile = session_.profile().decode;
  trial.events = session_.trace();
  return {};
}

} // namespace bench

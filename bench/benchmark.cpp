#include "bench/benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace bench {
namespace {

using mote::Result;
using mote::Status;
using Clock = std::chrono::steady_clock;

std::int64_t ns_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count();
}

/// Tokens drawn from all of the vocabulary (splitmix64). What a token is does not change the time that it takes.
std::vector<std::int32_t> random_tokens(int n_tokens, int n_vocab, std::uint64_t seed) {
  std::vector<std::int32_t> tokens;
  for (int i = 0; i < n_tokens; ++i) {
    std::uint64_t x = seed += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    tokens.push_back(static_cast<std::int32_t>((x ^ (x >> 31)) % static_cast<std::uint64_t>(n_vocab)));
  }
  return tokens;
}

/// A session that computes the same prompt again and again and goes on from there, always with the likeliest token.
class Runner {
 public:
  static Result<Runner> create(const mote::Model& model, const mote::SessionOptions& options, std::vector<std::int32_t> prompt) {
    Result<mote::Session> session = mote::Session::create(model, options);
    if (!session) return std::move(session).error();
    Result<mote::Sampler> sampler = mote::Sampler::create();
    if (!sampler) return std::move(sampler).error();
    return Runner(*std::move(session), *std::move(sampler), std::move(prompt));
  }

  struct Trials {
    Trial prefill, decode;
    std::int64_t time_to_first_token_ns = 0;
  };

  Result<Trials> run(int n_generate) {
    Trials trials;
    if (Status s = session_.truncate(0); !s) return std::move(s).error();
    if (Status s = prefill(trials); !s) return std::move(s).error();
    if (Status s = decode(trials.decode, n_generate); !s) return std::move(s).error();
    return trials;
  }
  mote::MemoryUse memory() const { return session_.memory(); }

 private:
  Runner(mote::Session session, mote::Sampler sampler, std::vector<std::int32_t> prompt)
      : session_(std::move(session)), sampler_(std::move(sampler)), prompt_(std::move(prompt)) {}

  Status choose_token() {
    token_ = sampler_.sample(session_.logits());
    if (token_ >= 0) return {};
    return mote::Error{mote::ErrorCode::bad_file,
                       fmt::format("the logits at position {} hold no number", session_.position() - 1)};
  }

  Status prefill(Trials& trials) {
    session_.reset_profile();
    const auto begin = Clock::now();
    if (Status s = session_.decode(prompt_); !s) return s;
    const auto computed = Clock::now();
    if (Status s = choose_token(); !s) return s;
    trials.time_to_first_token_ns = ns_between(begin, Clock::now());
    trials.prefill.wall_ns = ns_between(begin, computed);
    mote::Profile profile = session_.profile();
    trials.prefill.profile = std::move(prompt_.size() > 1 ? profile.prefill : profile.decode);
    return {};
  }

  Status decode(Trial& trial, int n_generate) {
    trial.token_ns.reserve(static_cast<std::size_t>(n_generate));
    session_.reset_profile();
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
    trial.wall_ns = ns_between(begin, last);
    trial.profile = session_.profile().decode;
    return {};
  }

  mote::Session session_;
  mote::Sampler sampler_;
  std::vector<std::int32_t> prompt_;
  std::int32_t token_ = 0;
};

/// A model, and what is to be known of it in every report.
struct Subject {
  mote::Model model;
  std::string name;
  std::int64_t open_ns = 0;
};

Result<Subject> make_subject(const Options& o, const Source& source, mote::Mix mix, mote::Isa isa, Progress& progress) {
  mote::ModelOptions options;
  options.isa = isa;
  options.cache_dir = o.cache_dir;
  options.progress = [&](double share) {
    progress.show(fmt::format("{}: {} the model, {:.0f}%", source.name, source.spec ? "making" : "opening", 100 * share));
    return true;
  };
  const auto begin = Clock::now();
  Result<mote::Model> model =
      source.spec ? mote::Model::random(*source.spec, mix, o.seed, options) : mote::Model::open(source.name, options);
  const std::int64_t opened = ns_between(begin, Clock::now());
  if (!model) return std::move(model).error();
  if (model->cache().use == mote::CacheUse::failed) {
    progress.clear();
    fmt::print(stderr, "bench_breakdown: packed weights are not kept: {}\n", model->cache().problem);
  }
  return Subject{*std::move(model), source.name, opened};
}

/// What the model would hold with fewer and with all of its positions.
Result<std::vector<ContextMemory>> memory_by_context(const mote::Model& model, mote::SessionOptions session) {
  constexpr int kFirst = 512, kStep = 4;
  std::vector<ContextMemory> all;
  const int most = model.spec().n_ctx;
  for (int context = std::min(kFirst, most);; context = context < most / kStep ? context * kStep : most) {
    session.n_ctx = context;
    const auto plan = mote::memory_of(model, session);
    if (!plan) return plan.error();
    all.push_back({context, *plan});
    if (context == most) return all;
  }
}

Result<RunReport> measure(const Options& o, const Subject& subject, const Roofline& roofline, int n_threads, int prompt,
                          int generate, Progress& progress) {
  const mote::ModelSpec& spec = subject.model.spec();
  const Result<int> context = context_of_run(subject.name, spec.n_ctx, o.context, prompt, generate);
  if (!context) return context.error();
  mote::SessionOptions session;
  session.n_ctx = *context;
  session.n_threads = n_threads;
  session.profile = true;
  Result<Runner> runner = Runner::create(subject.model, session, random_tokens(prompt, spec.n_vocab, o.seed));
  if (!runner) return std::move(runner).error();

  const auto show = [&](const std::string& what) {
    progress.show(fmt::format("{} {} {}, {} threads, {} + {} tokens: {}", subject.name, subject.model.type_name(),
                              mote::isa_name(subject.model.isa()), n_threads, prompt, generate, what));
  };
  constexpr int kWarmUpTokens = 4;
  show("warming up");
  const auto cold = runner->run(std::min(generate, kWarmUpTokens));
  if (!cold) return cold.error();
  std::vector<Trial> prefills, decodes;
  std::vector<std::int64_t> first_tokens;
  for (int i = 0; i < o.repeat; ++i) {
    show(fmt::format("run {} of {}", i + 1, o.repeat));
    auto trials = runner->run(generate);
    if (!trials) return std::move(trials).error();
    prefills.push_back(std::move(trials->prefill));
    decodes.push_back(std::move(trials->decode));
    first_tokens.push_back(trials->time_to_first_token_ns);
  }

  const auto predicted = mote::memory_of(subject.model, session);
  if (!predicted) return predicted.error();
  auto by_context = memory_by_context(subject.model, session);
  if (!by_context) return std::move(by_context).error();
  RunReport report;
  report.model = subject.name;
  report.type = subject.model.type_name();
  report.n_parameters = mote::parameter_count(spec);
  report.threads = n_threads;
  report.isa = subject.model.isa();
  report.prompt = prompt;
  report.generate = generate;
  report.context = *context;
  report.repeat = o.repeat;
  report.seed = o.seed;
  report.time_to_first_token_ns = spread_of(std::move(first_tokens));
  report.cold = {subject.open_ns, cold->time_to_first_token_ns, cold->decode.token_ns.front()};
  report.roofline = roofline;
  report.prefill = report_phase(prefills, roofline);
  report.decode = report_phase(decodes, roofline);
  report.memory = runner->memory();
  report.predicted = *predicted;
  report.by_context = *std::move(by_context);
  report.process = process_memory();
  report.bytes_per_token = subject.model.bytes_per_token();
  return report;
}

Status run_sessions(const Options& o, const Subject& subject, Rooflines& rooflines, Progress& progress,
                    const std::function<Status(RunReport)>& take) {
  for (const int n_threads : o.threads)
    for (const int prompt : o.prompts)
      for (const int generate : o.generates) {
        const auto roofline = rooflines.measure(subject.model.isa(), n_threads);
        if (!roofline) return roofline.error();
        Result<RunReport> report = measure(o, subject, *roofline, n_threads, prompt, generate, progress);
        progress.clear();
        if (!report) return std::move(report).error();
        if (Status s = take(*std::move(report)); !s) return s;
      }
  return {};
}

} // namespace

Status save_model(const Options& o, Progress& progress) {
  const Source& source = o.sources.front();
  mote::QuantizeOptions options;
  options.mix = o.types.front();
  options.progress = [&](double share) {
    progress.show(fmt::format("{}: saving the model, {:.0f}%", source.name, 100 * share));
    return true;
  };
  return mote::save_random_model(*source.spec, o.seed, o.save, options);
}

Status run_all(const Options& o, Progress& progress, const std::function<Status(RunReport)>& take) {
  Rooflines rooflines;
  progress.show("measuring what the machine can do at most");
  for (const mote::Isa isa : o.isas)
    for (const int n_threads : o.threads)
      if (const auto roofline = rooflines.measure(isa, n_threads); !roofline) return roofline.error();
  for (const Source& source : o.sources)
    for (std::size_t i = 0; i < (source.spec ? o.types.size() : 1); ++i) // a file has its own types
      for (const mote::Isa isa : o.isas) {
        reset_peak_memory();
        Result<Subject> subject = make_subject(o, source, o.types[i], isa, progress);
        progress.clear();
        if (!subject) return std::move(subject).error();
        if (Status s = run_sessions(o, *subject, rooflines, progress, take); !s) return s;
      }
  return {};
}

} // namespace bench

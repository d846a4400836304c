#include "bench/benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bench/clock.h"
#include "bench/endurance.h"
#include "bench/meters.h"
#include "bench/runner.h"

namespace bench {
namespace {

using mote::Result;
using mote::Status;
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

/// What all runs of a process have in common.
struct Bench {
  const Options& options;
  Progress& progress;
  Rooflines rooflines;
  Meters meters;
};

/// One combination of options.
class Combination {
 public:
  Combination(Bench& bench, const Subject& subject, int n_threads, int prompt, int generate)
      : bench_(bench), subject_(subject), prompt_(prompt), generate_(generate) {
    session_.n_threads = n_threads;
    session_.profile = true;
  }

  Result<RunReport> measure() {
    const Options& o = bench_.options;
    const Result<int> context = context_of_run(subject_.name, spec().n_ctx, o.context, prompt_, generate_);
    if (!context) return context.error();
    session_.n_ctx = *context;
    const auto roofline = bench_.rooflines.measure(subject_.model.isa(), session_.n_threads);
    if (!roofline) return roofline.error();
    RunReport report = describe();
    report.roofline = *roofline;
    Result<Runner> runner = make_runner(session_);
    if (!runner) return std::move(runner).error();
    if (Status s = time(*runner, report); !s) return s.error();
    if (Status s = weigh(*runner, report); !s) return s.error();
    if (Status s = go_on(*runner, report); !s) return s.error();
    return report;
  }

 private:
  static constexpr int kWarmUpTokens = 4, kTraceEvents = 100'000;
  static constexpr std::chrono::seconds kOverheadTime{5};

  const mote::ModelSpec& spec() const { return subject_.model.spec(); }
  void show(const std::string& what) {
    bench_.progress.show(fmt::format("{} {} {}, {} threads, {} + {} tokens: {}", subject_.name, subject_.model.type_name(),
                                     mote::isa_name(subject_.model.isa()), session_.n_threads, prompt_, generate_, what));
  }
  Result<Runner> make_runner(const mote::SessionOptions& session) const {
    return Runner::create(subject_.model, session, random_tokens(prompt_, spec().n_vocab, bench_.options.seed));
  }

  RunReport describe() const {
    RunReport report;
    report.model = subject_.name;
    report.type = subject_.model.type_name();
    report.n_parameters = mote::parameter_count(spec());
    report.threads = session_.n_threads;
    report.isa = subject_.model.isa();
    report.prompt = prompt_;
    report.generate = generate_;
    report.context = session_.n_ctx;
    report.repeat = bench_.options.repeat;
    report.seed = bench_.options.seed;
    report.bytes_per_token = subject_.model.bytes_per_token();
    return report;
  }

  Status time(Runner& runner, RunReport& report) {
    show("warming up");
    const auto cold = runner.run(std::min(generate_, kWarmUpTokens));
    if (!cold) return cold.error();
    report.cold = {subject_.open_ns, cold->time_to_first_token_ns, cold->decode.token_ns.front()};
    std::vector<Trial> prefills, decodes;
    std::vector<std::int64_t> first_tokens;
    for (int i = 0; i < report.repeat; ++i) {
      show(fmt::format("run {} of {}", i + 1, report.repeat));
      auto trials = runner.run(generate_, &bench_.meters);
      if (!trials) return std::move(trials).error();
      prefills.push_back(std::move(trials->prefill));
      decodes.push_back(std::move(trials->decode));
      first_tokens.push_back(trials->time_to_first_token_ns);
    }
    report.time_to_first_token_ns = spread_of(std::move(first_tokens));
    report.prefill = report_phase(prefills, report.roofline);
    report.decode = report_phase(decodes, report.roofline);
    report.counters_unavailable = bench_.meters.counters_unavailable();
    report.energy_unavailable = bench_.meters.energy_unavailable();
    report.energy_source = bench_.meters.energy_source();
    return {};
  }

  Status weigh(Runner& runner, RunReport& report) const {
    report.memory = runner.session().memory();
    report.process = process_memory();
    const auto predicted = mote::memory_of(subject_.model, session_);
    if (!predicted) return predicted.error();
    report.predicted = *predicted;
    auto by_context = memory_by_context(subject_.model, session_);
    if (!by_context) return std::move(by_context).error();
    report.by_context = *std::move(by_context);
    return {};
  }

  /// What was asked for beside the runs.
  Status go_on(Runner& runner, RunReport& report) {
    const Instruments& asked = bench_.options.instruments;
    if (asked.overhead) {
      show("with the profiler and without");
      const auto overhead = measure_overhead(runner, kOverheadTime);
      if (!overhead) return overhead.error();
      report.overhead = *overhead;
    }
    if (asked.sustain > 0) {
      auto sustained =
          sustain(runner, asked.sustain, [&](int seconds) { show(fmt::format("{} of {} seconds", seconds, asked.sustain)); });
      if (!sustained) return std::move(sustained).error();
      report.sustained = *std::move(sustained);
    }
    return asked.trace.empty() ? Status() : trace(report);
  }

  /// A run of another session, so that keeping events costs the others nothing.
  Status trace(RunReport& report) {
    show("tracing");
    mote::SessionOptions session = session_;
    session.trace_events = kTraceEvents;
    Result<Runner> runner = make_runner(session);
    if (!runner) return std::move(runner).error();
    if (const auto cold = runner->run(std::min(generate_, kWarmUpTokens)); !cold) return cold.error();
    auto trials = runner->run(generate_);
    if (!trials) return std::move(trials).error();
    report.trace = Trace{std::move(trials->prefill), std::move(trials->decode)};
    return {};
  }

  Bench& bench_;
  const Subject& subject_;
  int prompt_, generate_;
  mote::SessionOptions session_;
};

Status run_sessions(Bench& bench, const Subject& subject, const std::function<Status(RunReport)>& take) {
  for (const int n_threads : bench.options.threads)
    for (const int prompt : bench.options.prompts)
      for (const int generate : bench.options.generates) {
        Result<RunReport> report = Combination(bench, subject, n_threads, prompt, generate).measure();
        bench.progress.clear();
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
  // The counters count threads that are started after them.
  auto meters = Meters::create(o.instruments.power_file);
  if (!meters) return std::move(meters).error();
  Bench bench{o, progress, {}, *std::move(meters)};
  progress.show("measuring what the machine can do at most");
  for (const mote::Isa isa : o.isas)
    for (const int n_threads : o.threads)
      if (const auto roofline = bench.rooflines.measure(isa, n_threads); !roofline) return roofline.error();
  for (const Source& source : o.sources)
    for (std::size_t i = 0; i < (source.spec ? o.types.size() : 1); ++i) // a file has its own types
      for (const mote::Isa isa : o.isas) {
        reset_peak_memory();
        Result<Subject> subject = make_subject(o, source, o.types[i], isa, progress);
        progress.clear();
        if (!subject) return std::move(subject).error();
        if (Status s = run_sessions(bench, *subject, take); !s) return s;
      }
  return {};
}

} // namespace bench

#include "bench/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

class Writer {
 public:
  explicit Writer(std::int64_t origin_ns) : origin_ns_(origin_ns) {}

  void add_process(int process, const std::string& process_name, const Trace& trace) {
    name(process, 0, "process_name", process_name);
    name(process, 0, "thread_name", "tokens");
    span(process, 0, "prompt", trace.prefill.begin_ns, trace.prefill.wall_ns, "");
    std::int64_t begin_ns = trace.decode.begin_ns;
    for (std::size_t i = 0; i < trace.decode.token_ns.size(); ++i) {
      span(process, 0, fmt::format("token {}", i + 1), begin_ns, trace.decode.token_ns[i], "");
      begin_ns += trace.decode.token_ns[i];
    }
    int n_threads = 0;
    for (const mote::TraceEvent& event : trace.decode.events) n_threads = std::max(n_threads, event.thread + 1);
    for (int thread = 0; thread < n_threads; ++thread) name(process, thread + 1, "thread_name", fmt::format("thread {}", thread));
    add_steps(process, trace.prefill);
    add_steps(process, trace.decode);
  }
  std::string finish() { return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" + text_ + "\n]}\n"; }

 private:
  void add_steps(int process, const Trial& trial) {
    for (const mote::TraceEvent& event : trial.events) {
      const mote::StepProfile& step = trial.profile.steps[static_cast<std::size_t>(event.step)];
      const std::string what = fmt::format("{}.{}", mote::component_name(step.component), mote::operation_name(step.operation));
      span(process, event.thread + 1, event.waiting ? "barrier_wait" : what, event.begin_ns, event.end_ns - event.begin_ns,
           fmt::format("\"step\":{},\"layer\":{},\"of\":\"{}\"", event.step, step.layer, what));
    }
  }
  void span(int process, int track, std::string_view name, std::int64_t begin_ns, std::int64_t ns, const std::string& details) {
    add(fmt::format(R"({{"ph":"X","pid":{},"tid":{},"name":"{}","ts":{:.3f},"dur":{:.3f},"args":{{{}}}}})", process, track, name,
                    microseconds(begin_ns - origin_ns_), microseconds(ns), details));
  }
  /// A name may hold anything.
  void name(int process, int track, std::string_view what, const std::string& name) {
    const std::string quoted = nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    add(fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"{}","args":{{"name":{}}}}})", process, track, what, quoted));
  }
  void add(const std::string& event) { text_ += (text_.empty() ? "" : ",\n") + event; }
  static double microseconds(std::int64_t ns) { return static_cast<double>(ns) / 1e3; }

  std::int64_t origin_ns_;
  std::string text_;
};

} // namespace

std::string trace_json(std::span<const RunReport> runs) {
  std::int64_t origin_ns = std::numeric_limits<std::int64_t>::max();
  for (const RunReport& run : runs)
    if (run.trace) origin_ns = std::min(origin_ns, run.trace->prefill.begin_ns);
  Writer writer(origin_ns);
  int process = 0;
  for (const RunReport& run : runs)
    if (run.trace)
      writer.add_process(process++,
                         fmt::format("{} {}, {} threads, {}, {} + {} tokens", run.model, run.type, run.threads,
                                     mote::isa_name(run.isa), run.prompt, run.generate),
                         *run.trace);
  return writer.finish();
}

} // namespace bench

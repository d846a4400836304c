#include "bench/report_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace bench {

std::string milliseconds(const Spread& ns) {
  return fmt::format("{:.1f} ms  ({:.1f} .. {:.1f})", static_cast<double>(ns.median) / kNsPerMs,
                     static_cast<double>(ns.min) / kNsPerMs, static_cast<double>(ns.max) / kNsPerMs);
}

std::string speed(const PhaseReport& phase) {
  return fmt::format("{:.1f} tokens/s  ({:.1f} .. {:.1f})", phase.tokens_per_second(phase.wall_ns.median),
                     phase.tokens_per_second(phase.wall_ns.max), phase.tokens_per_second(phase.wall_ns.min));
}

std::string bytes(std::size_t n) {
  if (n == 0) return "none";
  const auto value = static_cast<double>(n);
  if (value < 1e6) return fmt::format("{:.1f} kB", value / 1e3);
  return value < 1e9 ? fmt::format("{:.1f} MB", value / 1e6) : fmt::format("{:.2f} GB", value / 1e9);
}

std::string count(std::int64_t n) {
  const auto value = static_cast<double>(n);
  return value < 1e9 ? fmt::format("{:.1f} M", value / 1e6) : fmt::format("{:.2f} G", value / 1e9);
}

std::string counted(int n, std::string_view thing) { return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s"); }

std::string giga(double per_second) { return per_second > 0 ? fmt::format("{:.1f}", per_second / 1e9) : "-"; }

std::string percent(double share) { return share > 0 ? fmt::format("{:.0f}%", 100 * share) : "-"; }

std::string weight_reading(const RunReport& run) {
  const double most = run.roofline.read_bandwidth;
  return fmt::format("{:.1f} GB/s, {:.0f}% of the {:.1f} GB/s that {} can read here", run.decode_bandwidth() / 1e9,
                     100 * run.decode_bandwidth() / most, most / 1e9, counted(run.threads, "thread"));
}

std::string limits(const Roofline& roofline) {
  return fmt::format("read {} GB/s, int8 {} and fp32 {} GMAC/s", giga(roofline.read_bandwidth), giga(roofline.int8 / 2),
                     giga(roofline.fp32 / 2));
}

namespace {

/// What a session holds of its own.
std::string of_session(const mote::MemoryUse& memory) {
  std::string text = fmt::format("KV cache {}, ", bytes(memory.kv_cache));
  if (memory.state > 0) text += fmt::format("state {}, ", bytes(memory.state));
  return text + fmt::format("compute buffer {}", bytes(memory.compute));
}

/// "embedding 111.7 MB, attention 29.5 MB, ..."
std::string by_component(const mote::MemoryPlan& plan) {
  std::string text;
  for (int c = 0; c < mote::kNumComponents; ++c)
    if (const std::size_t n = plan.parameters[static_cast<std::size_t>(c)]; n > 0)
      text += fmt::format("{} {}, ", mote::component_name(static_cast<mote::Component>(c)), bytes(n));
  return text + fmt::format("of them {} for packing", bytes(plan.packing));
}

} // namespace

Lines memory_lines(const RunReport& run) {
  const mote::MemoryPlan& plan = run.predicted;
  std::string contexts;
  for (const ContextMemory& at : run.by_context)
    contexts += fmt::format("{}{} with {}", contexts.empty() ? "" : ", ", bytes(at.plan.total()), at.context);
  return {{"memory", fmt::format("parameters {}, {}, tokenizer {}; {} positions", bytes(run.memory.parameters),
                                 of_session(run.memory), bytes(run.memory.tokenizer), run.context)},
          {"  predicted",
           fmt::format("{}: parameters {}, {}", bytes(plan.total()), bytes(plan.use.parameters), of_session(plan.use))},
          {"  parameters", by_component(plan)},
          {"  process", fmt::format("{} resident: {} anonymous, {} mapped; peak {}", bytes(run.process.resident),
                                    bytes(run.process.anonymous), bytes(run.process.mapped), bytes(run.process.peak))},
          {"  by positions", contexts}};
}

namespace {

std::string of_both(const RunReport& run, std::string (*of)(const PhaseReport&)) {
  return fmt::format("prefill {}; decode {}", of(run.prefill), of(run.decode));
}

std::string counts(const PhaseReport& phase) {
  const Counts& c = phase.usage.counts;
  return fmt::format("{} cycles, {:.2f} instructions a cycle, {} cache misses", count(c.cycles / phase.n_trials),
                     c.cycles > 0 ? static_cast<double>(c.instructions) / static_cast<double>(c.cycles) : 0,
                     count(c.cache_misses / phase.n_trials));
}

std::string energy(const PhaseReport& phase) { return fmt::format("{:.2f} mJ a token", 1e3 * phase.joules_per_token()); }

std::string overhead(const Overhead& o) {
  return fmt::format("{:.4f} ms a token with the profiler, {:.4f} without: {:+.2f}%  ({:+.2f} .. {:+.2f} of tenths of {} tokens)",
                     static_cast<double>(o.on_ns) / kNsPerMs, static_cast<double>(o.off_ns) / kNsPerMs, 100 * o.share,
                     100 * o.least, 100 * o.most, o.n_tokens);
}

std::string point(const Sustained::Point& p) {
  std::string text = fmt::format("{:>7.1f} tokens/s", p.tokens_per_second);
  if (p.sensors.core_hz > 0) text += fmt::format("  {:.2f} GHz", p.sensors.core_hz / 1e9);
  if (p.sensors.celsius > 0) text += fmt::format("  {:.0f} degrees Celsius", p.sensors.celsius);
  return text;
}

} // namespace

Lines instrument_lines(const RunReport& run) {
  Lines lines;
  const auto line = [&](const char* label, const std::string& unavailable, std::string text) {
    lines.emplace_back(label, unavailable.empty() ? std::move(text) : "not available: " + unavailable);
  };
  line("counters", run.counters_unavailable, of_both(run, counts));
  line("energy", run.energy_unavailable, of_both(run, energy) + "; " + run.energy_source);
  if (run.overhead) lines.emplace_back("measuring costs", overhead(*run.overhead));
  if (!run.sustained) return lines;
  constexpr std::size_t kMostLines = 12; // the JSON report has all
  const auto& points = run.sustained->points;
  const std::size_t step = (points.size() + kMostLines - 1) / kMostLines;
  for (std::size_t i = 0; i < points.size(); i += step)
    lines.emplace_back(i == 0 ? "sustained" : "",
                       fmt::format("{:>5.0f} s  {}", static_cast<double>(points[i].at_ns) / 1e9, point(points[i])));
  return lines;
}

const Row* find_row(const std::vector<Row>& rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Row::name);
  return found != rows.end() ? &*found : nullptr;
}

} // namespace bench

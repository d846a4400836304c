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

const Row* find_row(const std::vector<Row>& rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Row::name);
  return found != rows.end() ? &*found : nullptr;
}

} // namespace bench

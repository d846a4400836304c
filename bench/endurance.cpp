#include "bench/endurance.h"

#include <algorithm>
#include <array>

#include "bench/clock.h"
#include "bench/statistics.h"

namespace bench {
namespace {

using mote::Result;
using mote::Status;

/// One more token; behind the last position from the prompt on again, which does not count. Returns the token's nanoseconds.
Result<std::int64_t> next_token(Runner& runner) {
  if (runner.session().position() == runner.session().n_ctx())
    if (Status s = runner.start(); !s) return s.error();
  const auto begin = Clock::now();
  if (Status s = runner.step(); !s) return s.error();
  return ns_since(begin);
}

/// Times of tokens without and with the profiler.
using Times = std::array<std::vector<double>, 2>;

double share_of(const Times& times) { return median(times[1]) / median(times[0]) - 1; }

} // namespace

Result<Overhead> measure_overhead(Runner& runner, std::chrono::seconds least_time) {
  constexpr std::size_t kBlocks = 10, kLeastOfBlock = 8;
  if (Status s = runner.start(); !s) return s.error();
  Times times;
  const auto begin = Clock::now();
  while (Clock::now() - begin < least_time || times[0].size() < kBlocks * kLeastOfBlock)
    for (const int on : {0, 1, 1, 0}) { // so that what drifts does not count
      runner.session().set_profiling(on == 1);
      const auto ns = next_token(runner);
      if (!ns) return ns.error();
      times[static_cast<std::size_t>(on)].push_back(static_cast<double>(*ns));
    }
  runner.session().set_profiling(true);

  std::vector<double> shares;
  const std::size_t n_block = times[0].size() / kBlocks;
  for (std::size_t first = 0; shares.size() < kBlocks; first += n_block) {
    Times block;
    for (std::size_t on = 0; on < 2; ++on) {
      const auto at = times[on].begin() + static_cast<std::ptrdiff_t>(first);
      block[on].assign(at, at + static_cast<std::ptrdiff_t>(n_block));
    }
    shares.push_back(share_of(block));
  }
  const auto [least, most] = std::ranges::minmax(shares);
  return Overhead{static_cast<std::int64_t>(median(times[0])),
                  static_cast<std::int64_t>(median(times[1])),
                  share_of(times),
                  least,
                  most,
                  static_cast<int>(times[0].size())};
}

Result<Sustained> sustain(Runner& runner, int seconds, const std::function<void(int)>& show) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000, kMostPoints = 300;
  const std::int64_t end_ns = seconds * kNsPerSecond, step_ns = std::max(kNsPerSecond, end_ns / kMostPoints);
  if (Status s = runner.start(); !s) return s.error();
  Sustained sustained{seconds, {}};
  std::int64_t decode_ns = 0, n_tokens = 0, last_ns = 0;
  const auto begin = Clock::now();
  while (last_ns < end_ns) {
    const auto ns = next_token(runner);
    if (!ns) return ns.error();
    decode_ns += *ns;
    ++n_tokens;
    const std::int64_t now_ns = ns_since(begin);
    if (now_ns - last_ns < step_ns && now_ns < end_ns) continue;
    const Sensors sensors = read_sensors("/sys");
    sustained.points.push_back({now_ns, 1e9 * static_cast<double>(n_tokens) / static_cast<double>(decode_ns), sensors});
    show(static_cast<int>(now_ns / kNsPerSecond));
    last_ns = now_ns;
    decode_ns = n_tokens = 0;
  }
  return sustained;
}

} // namespace bench

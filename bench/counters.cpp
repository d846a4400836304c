#include "bench/counters.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace bench {
namespace {

using mote::Error;
using mote::ErrorCode;
using mote::Result;
using mote::Status;

constexpr int kNumEvents = 3;

/// What usually stands in the way.
std::string hint(int error) {
  if (error == EACCES || error == EPERM) {
    std::ifstream file("/proc/sys/kernel/perf_event_paranoid");
    if (std::string level; file >> level) return fmt::format(" (kernel.perf_event_paranoid is {})", level);
  }
  return error == ENOENT || error == EOPNOTSUPP ? " (no such counter here)" : "";
}

class PerfEvents : public CounterSource {
 public:
  ~PerfEvents() override {
    for (const int fd : files_)
      if (fd >= 0) ::close(fd);
  }

  Status open(Event event) override {
    constexpr std::uint64_t kIds[kNumEvents] = {PERF_COUNT_HW_CPU_CYCLES, PERF_COUNT_HW_INSTRUCTIONS, PERF_COUNT_HW_CACHE_MISSES};
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.size = sizeof attributes;
    attributes.config = kIds[static_cast<int>(event)];
    attributes.inherit = 1;
    attributes.exclude_kernel = attributes.exclude_hv = 1; // what an ordinary user may count
    attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    const long fd = ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0) {
      const int error = errno;
      return Error{ErrorCode::unsupported, fmt::format("perf_event_open: {}{}", std::strerror(error), hint(error))};
    }
    files_[static_cast<std::size_t>(event)] = static_cast<int>(fd);
    return {};
  }

  Result<std::int64_t> read(Event event) override {
    struct {
      std::uint64_t value, enabled, running;
    } count{};
    if (::read(files_[static_cast<std::size_t>(event)], &count, sizeof count) != sizeof count)
      return Error{ErrorCode::io, fmt::format("a hardware counter cannot be read: {}", std::strerror(errno))};
    if (count.running == 0) return Error{ErrorCode::io, "a hardware counter never ran: all are in use"};
    const double share = static_cast<double>(count.running) / static_cast<double>(count.enabled);
    return static_cast<std::int64_t>(static_cast<double>(count.value) / share);
  }

 private:
  std::array<int, kNumEvents> files_{-1, -1, -1};
};

} // namespace

std::unique_ptr<CounterSource> perf_events() { return std::make_unique<PerfEvents>(); }

Counters::Counters(std::unique_ptr<CounterSource> source) : source_(std::move(source)) {
  using enum CounterSource::Event;
  for (const auto event : {cycles, instructions, cache_misses}) {
    const Status opened = source_->open(event);
    if (opened) continue;
    unavailable_ = opened.error().message;
    return;
  }
}

Counts Counters::read() {
  Counts counts;
  using enum CounterSource::Event;
  for (const auto& [event, count] : {std::pair{cycles, &counts.cycles}, std::pair{instructions, &counts.instructions},
                                     std::pair{cache_misses, &counts.cache_misses}}) {
    if (!unavailable_.empty()) return {};
    const auto value = source_->read(event);
    if (value) *count = *value;
    else unavailable_ = value.error().message;
  }
  return unavailable_.empty() ? counts : Counts{};
}

} // namespace bench

#include "bench/energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

namespace bench {
namespace {

namespace fs = std::filesystem;
using mote::Error;
using mote::ErrorCode;
using mote::Result;
using mote::Status;

Result<std::int64_t> read_number(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  std::string word;
  if (!(file >> word))
    return Error{ErrorCode::io, fmt::format("{}: cannot read it: {}", path, errno != 0 ? std::strerror(errno) : "it is empty")};
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || value < 0)
    return Error{ErrorCode::io, fmt::format("{}: expected a whole number, found '{}'", path, word)};
  return value;
}

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

} // namespace

Result<PowerFile> parse_power_file(std::string_view word) {
  const auto path = [&] { return std::string(word.substr(3)); };
  if (word.size() > 3 && word.starts_with("uW:")) return PowerFile{path(), PowerUnit::microwatts};
  if (word.size() > 3 && word.starts_with("uJ:")) return PowerFile{path(), PowerUnit::microjoules};
  return Error{ErrorCode::invalid_argument,
               fmt::format("expected uW:FILE (microwatts) or uJ:FILE (microjoules so far), found '{}'", word)};
}

Result<std::unique_ptr<EnergyMeter>> EnergyMeter::of_file(const PowerFile& file) {
  std::unique_ptr<EnergyMeter> meter(new EnergyMeter);
  meter->source_ = file.path;
  if (file.unit == PowerUnit::microjoules) {
    if (Status s = meter->add({file.path}); !s) return std::move(s).error();
    return meter;
  }
  const auto first = read_number(file.path);
  if (!first) return first.error();
  try {
    meter->poller_ = std::thread([self = meter.get(), path = file.path, first = *first] { self->poll(path, first); });
  } catch (const std::system_error&) {
    return Error{ErrorCode::out_of_memory, "out of memory: no thread to read the power with"};
  }
  return meter;
}

Result<std::unique_ptr<EnergyMeter>> EnergyMeter::of_packages(const std::string& root) {
  std::unique_ptr<EnergyMeter> meter(new EnergyMeter);
  std::error_code error;
  std::vector<fs::path> zones;
  for (fs::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error))
    if (first_line(entry->path() / "name").starts_with("package-")) zones.push_back(entry->path());
  if (zones.empty()) return Error{ErrorCode::unsupported, fmt::format("{} has no package: no RAPL here", root)};
  for (const fs::path& zone : zones) {
    const auto range = read_number((zone / "max_energy_range_uj").string());
    if (Status s = meter->add({(zone / "energy_uj").string(), range ? *range : 0}); !s)
      return Error{ErrorCode::unsupported, s.error().message};
  }
  meter->source_ = fmt::format("RAPL, {} package{}", zones.size(), zones.size() == 1 ? "" : "s");
  return meter;
}

EnergyMeter::~EnergyMeter() {
  ends_ = true;
  if (poller_.joinable()) poller_.join();
}

Status EnergyMeter::add(Register reg) {
  const auto first = read_number(reg.path);
  if (!first) return first.error();
  reg.last = *first;
  registers_.push_back(std::move(reg));
  return {};
}

/// Power times time, by trapezia.
void EnergyMeter::poll(const std::string& path, std::int64_t first) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPause = std::chrono::milliseconds(5);
  auto last_time = Clock::now();
  auto last_power = static_cast<double>(first);
  while (!ends_) {
    std::this_thread::sleep_for(kPause);
    const auto power = read_number(path);
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    if (!power) {
      polled_ = power.error();
      return;
    }
    const auto watts = static_cast<double>(*power);
    polled_joules_ += 1e-6 * (watts + last_power) / 2 * std::chrono::duration<double>(now - last_time).count();
    last_time = now;
    last_power = watts;
  }
}

Result<double> EnergyMeter::joules() {
  std::int64_t microjoules = 0;
  for (Register& reg : registers_) {
    const auto now = read_number(reg.path);
    if (!now) return now.error();
    reg.total += *now - reg.last + (*now < reg.last ? reg.range : 0);
    reg.last = *now;
    microjoules += reg.total;
  }
  const std::lock_guard lock(mutex_);
  if (!polled_) return polled_.error();
  return polled_joules_ + 1e-6 * static_cast<double>(microjoules);
}

} // namespace bench

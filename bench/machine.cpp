#include "bench/machine.h"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "mote/model.h"

namespace bench {
namespace {

/// What stands behind "key   :" in a file of such lines.
std::optional<std::string> value_of(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find_first_not_of(" \t", key.size());
    if (colon == std::string::npos || line[colon] != ':') continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    if (begin == std::string::npos) continue;
    return line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
  }
  return std::nullopt;
}

std::string cpu_name() {
  if (auto name = value_of("/proc/cpuinfo", "model name")) return *name;
  std::ifstream board("/sys/firmware/devicetree/base/model"); // ARM boards: text that ends with a zero byte
  std::string name;
  if (std::getline(board, name, '\0') && !name.empty()) return name;
  utsname system{};
  return uname(&system) == 0 ? system.machine : "unknown";
}

} // namespace

Machine this_machine() {
  Machine machine;
  machine.cpu = cpu_name();
  machine.n_processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  machine.n_performance_cores = mote::default_thread_count();
  for (const mote::Isa isa : mote::all_isas())
    if (mote::isa_available(isa)) machine.isas.push_back(isa);
  return machine;
}

ProcessMemory process_memory() {
  const auto bytes = [](const char* key) -> std::size_t {
    const auto kilobytes = value_of("/proc/self/status", key);
    return kilobytes ? std::stoull(*kilobytes) * 1024 : 0;
  };
  ProcessMemory memory{bytes("VmHWM"), bytes("VmRSS"), bytes("RssAnon"), bytes("RssFile") + bytes("RssShmem")};
  rusage usage{};
  if (memory.peak == 0 && getrusage(RUSAGE_SELF, &usage) == 0) memory.peak = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  return memory;
}

namespace {

namespace fs = std::filesystem;

/// The numbers in the files of this name, one in each folder of `folder` whose name begins so.
std::vector<double> numbers(const fs::path& folder, const std::string& beginning, const char* file) {
  std::vector<double> values;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!entry->path().filename().string().starts_with(beginning)) continue;
    std::ifstream stream(entry->path() / file);
    if (double value = 0; stream >> value) values.push_back(value);
  }
  return values;
}

} // namespace

Sensors read_sensors(const std::string& root) {
  const std::vector<double> kilohertz = numbers(fs::path(root) / "devices/system/cpu/cpufreq", "policy", "scaling_cur_freq");
  const std::vector<double> millidegrees = numbers(fs::path(root) / "class/thermal", "thermal_zone", "temp");
  Sensors sensors;
  for (const double value : kilohertz) sensors.core_hz += 1e3 * value / static_cast<double>(kilohertz.size());
  for (const double value : millidegrees) sensors.celsius = std::max(sensors.celsius, value / 1e3);
  return sensors;
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

} // namespace bench

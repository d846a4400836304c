#include "bench/machine.h"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
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

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

} // namespace bench

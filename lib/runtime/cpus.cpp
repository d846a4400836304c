#include "lib/runtime/cpus.h"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>
#include <new>
#include <set>

#include "mote/model.h"

namespace mote::runtime {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

/// The first 64 KiB of a file of /proc or /sys; none if it cannot be read.
std::optional<std::string> read_text(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) return std::nullopt;
  std::string text(std::size_t{64} << 10, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return std::nullopt;
  return text;
}

std::optional<long> parse_long(std::string_view text) {
  text = trimmed(text);
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<long> read_long(const std::string& path) {
  const std::optional<std::string> text = read_text(path);
  return text ? parse_long(*text) : std::nullopt;
}

std::optional<std::vector<int>> read_cpu_list(const std::string& path) {
  const std::optional<std::string> text = read_text(path);
  return text ? parse_cpu_list(*text) : std::nullopt;
}

std::string cpu_folder(const std::string& root, int cpu) { return root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu); }

/// Those of the processors whose number in `file` is at least `share` of the largest; all of them when one has no such file.
std::vector<int> strongest(const std::string& root, std::span<const int> cpus, const char* file, double share) {
  std::vector<long> strengths;
  for (const int cpu : cpus) strengths.push_back(read_long(cpu_folder(root, cpu) + file).value_or(0));
  const auto [least, most] = std::minmax_element(strengths.begin(), strengths.end());
  std::vector<int> strong;
  for (std::size_t i = 0; i < cpus.size(); ++i)
    if (*least <= 0 || static_cast<double>(strengths[i]) >= share * static_cast<double>(*most)) strong.push_back(cpus[i]);
  return strong;
}

std::vector<int> performance_cpus(const std::string& root, std::span<const int> cpus) {
  // Processors with two kinds of cores of unlike design list them apart.
  if (const auto fast = read_cpu_list(root + "/sys/devices/cpu_core/cpus")) {
    std::vector<int> both;
    std::ranges::set_intersection(cpus, *fast, std::back_inserter(both));
    if (!both.empty()) return both;
  }
  // Elsewhere a number tells: middle cores have 60% and more of the big one's capacity, little ones 25 to 40%. Where only the
  // frequency is known (compact cores run at 65% of the others'), favoured cores of one kind differ by a few percent.
  constexpr double kCapacityShare = 0.5, kFrequencyShare = 0.7;
  const std::vector<int> capable = strongest(root, cpus, "/cpu_capacity", kCapacityShare);
  if (capable.size() < cpus.size()) return capable;
  return strongest(root, cpus, "/cpufreq/cpuinfo_max_freq", kFrequencyShare);
}

/// The least of what `limit_of` finds in this group's folder and in those above it, up to the mount point.
template <class LimitOf> std::optional<double> least_limit(const std::string& mount, std::string_view group, LimitOf limit_of) {
  std::optional<double> least;
  for (;;) {
    while (!group.empty() && group.back() == '/') group.remove_suffix(1);
    const std::optional<double> limit = limit_of(mount + std::string(group));
    if (limit && (!least || *limit < *least)) least = limit;
    if (group.empty()) return least;
    group = group.substr(0, group.rfind('/') == std::string_view::npos ? 0 : group.rfind('/'));
  }
}

/// cgroup v2: cpu.max holds "quota period" in microseconds, quota may be "max".
std::optional<double> limit_v2(const std::string& folder) {
  const std::optional<std::string> text = read_text(folder + "/cpu.max");
  if (!text) return std::nullopt;
  const std::size_t space = text->find(' ');
  if (space == std::string::npos) return std::nullopt;
  const std::optional<long> quota = parse_long(std::string_view(*text).substr(0, space));
  const std::optional<long> period = parse_long(std::string_view(*text).substr(space));
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

/// cgroup v1: two files; a quota of -1 is no limit.
std::optional<double> limit_v1(const std::string& folder) {
  const std::optional<long> quota = read_long(folder + "/cpu.cfs_quota_us");
  const std::optional<long> period = read_long(folder + "/cpu.cfs_period_us");
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

bool has_word(std::string_view comma_list, std::string_view word) {
  for (;;) {
    const std::size_t comma = comma_list.find(',');
    if (comma_list.substr(0, comma) == word) return true;
    if (comma == std::string_view::npos) return false;
    comma_list.remove_prefix(comma + 1);
  }
}

} // namespace

std::vector<int> available_cpus() {
  std::vector<int> cpus;
#if defined(__linux__)
  // The kernel refuses a mask smaller than its own, whose size it does not tell.
  for (int n_cpus = 1024; n_cpus <= 1 << 20; n_cpus *= 4) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(CPU_ALLOC(static_cast<std::size_t>(n_cpus)),
                                                                [](cpu_set_t* set) { CPU_FREE(set); });
    const std::size_t n_bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(n_cpus));
    if (!mask || sched_getaffinity(0, n_bytes, mask.get()) != 0) continue;
    for (int cpu = 0; cpu < n_cpus; ++cpu)
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), n_bytes, mask.get())) cpus.push_back(cpu);
    break;
  }
#endif
  return cpus;
}

std::optional<std::vector<int>> parse_cpu_list(std::string_view text) {
  constexpr long kMaxCpu = 1 << 20;
  std::set<int> cpus;
  text = trimmed(text);
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view range = text.substr(0, comma);
    const std::size_t dash = range.find('-');
    const std::optional<long> first = parse_long(range.substr(0, dash));
    const std::optional<long> last = dash == std::string_view::npos ? first : parse_long(range.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last > kMaxCpu) return std::nullopt;
    for (long cpu = *first; cpu <= *last; ++cpu) cpus.insert(static_cast<int>(cpu));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  return std::vector<int>(cpus.begin(), cpus.end());
}

int performance_core_count(const std::string& root, std::span<const int> cpus) {
  std::set<int> cores; // each by the least number of its hardware threads
  for (const int cpu : performance_cpus(root, cpus)) {
    const auto siblings = read_cpu_list(cpu_folder(root, cpu) + "/topology/thread_siblings_list");
    cores.insert(siblings && !siblings->empty() ? siblings->front() : cpu);
  }
  return std::max(1, static_cast<int>(cores.size()));
}

std::optional<double> cpu_quota(const std::string& root) {
  const std::string groups = read_text(root + "/proc/self/cgroup").value_or("");
  const std::string mounts = root + "/sys/fs/cgroup";
  std::optional<double> least;
  const auto take = [&](std::optional<double> limit) {
    if (limit && (!least || *limit < *least)) least = limit;
  };
  // A line is "id:controllers:/group"; v2 has id 0 and no controllers.
  for (std::string_view rest = groups; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t colon = line.find(':'), colon2 = line.find(':', colon + 1);
    if (colon == std::string_view::npos || colon2 == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(colon + 1, colon2 - colon - 1), group = line.substr(colon2 + 1);
    if (controllers.empty()) {
      take(least_limit(mounts, group, limit_v2));
    } else if (has_word(controllers, "cpu")) {
      take(least_limit(mounts + "/cpu", group, limit_v1));
      take(least_limit(mounts + "/cpu,cpuacct", group, limit_v1));
    }
  }
  return least;
}

} // namespace mote::runtime

namespace mote {

int default_thread_count() noexcept {
  // A few small strings and sets: where even those cannot be had, one thread is the right number.
  try {
    const std::vector<int> cpus = runtime::available_cpus();
    int n_threads = cpus.empty() ? runtime::available_cpu_count() : runtime::performance_core_count("", cpus);
    // Rounded up: the last thread uses what is left of the quota.
    if (const std::optional<double> quota = runtime::cpu_quota(""))
      n_threads = static_cast<int>(std::min<double>(n_threads, std::max(1.0, std::ceil(*quota))));
    return n_threads;
  } catch (const std::bad_alloc&) {
    return 1;
  }
}

} // namespace mote

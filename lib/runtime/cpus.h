/// Which processors this process may use, and how many of them are physical performance cores.
///
/// The functions that read system files take the folder that stands for "/" ("" is the real one), so that tests can lay out
/// machines that they do not run on.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mote::runtime {

/// Processors that the scheduler gives to the calling thread: the affinity mask, less those that are off line. At least 1.
int available_cpu_count() noexcept;
/// Their numbers, ascending; empty where the system does not tell.
std::vector<int> available_cpus();

/// The kernel's notation for a set of processors, "0-3,8,10-11"; none when it is something else. The empty set is "".
std::optional<std::vector<int>> parse_cpu_list(std::string_view text);

/// Of these processors, how many distinct physical performance cores there are: hardware threads of one core count once, and
/// efficiency cores do not count when there are others. Files that are absent are taken for a machine without such differences.
int performance_core_count(const std::string& root, std::span<const int> cpus);

/// Processors' worth of time that the process's control group and those above it grant (cgroup v1 or v2); none if unlimited.
std::optional<double> cpu_quota(const std::string& root);

} // namespace mote::runtime

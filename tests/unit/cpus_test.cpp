#include "lib/runtime/cpus.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "mote/model.h"
#include "mote/session.h"
#include "mote/spec.h"
#include "tests/catch.h"
#include "tests/temp_dir.h"

using mote::runtime::cpu_quota;
using mote::runtime::parse_cpu_list;
using mote::runtime::performance_core_count;

namespace {

/// A made-up "/" with the system files that a machine has.
class FakeMachine {
 public:
  const std::string& root() const { return folder_.path(); }
  FakeMachine& file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_.file(path)).parent_path());
    folder_.write(path, text + "\n");
    return *this;
  }
  FakeMachine& cpu_file(int cpu, const std::string& name, const std::string& text) {
    return file("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/" + name, text);
  }
  FakeMachine& siblings(int cpu, const std::string& list) { return cpu_file(cpu, "topology/thread_siblings_list", list); }
  int cores(const std::vector<int>& cpus) const { return performance_core_count(root(), cpus); }

 private:
  mote::test::TempDir folder_;
};

std::vector<int> first_cpus(int n) {
  std::vector<int> cpus(static_cast<std::size_t>(n));
  std::iota(cpus.begin(), cpus.end(), 0);
  return cpus;
}

} // namespace

TEST_CASE("Lists of processors are read as the kernel writes them", "[runtime]") {
  CHECK(parse_cpu_list("0") == std::vector<int>{0});
  CHECK(parse_cpu_list("0-3\n") == std::vector<int>{0, 1, 2, 3});
  CHECK(parse_cpu_list("0-1,8,10-11") == std::vector<int>{0, 1, 8, 10, 11});
  CHECK(parse_cpu_list("5,3,3-5") == std::vector<int>{3, 4, 5});
  CHECK(parse_cpu_list("") == std::vector<int>{});
  CHECK(parse_cpu_list("\n") == std::vector<int>{});
  for (const char* wrong : {"a", "-", "-1", "3-", "3-1", "1,", ",1", "1,,2", "1 2", "0-99999999999", "99999999"})
    CHECK_FALSE(parse_cpu_list(wrong).has_value());
}

TEST_CASE("A machine that tells nothing has as many cores as processors", "[runtime]") {
  const FakeMachine machine;
  CHECK(machine.cores({0}) == 1);
  CHECK(machine.cores(first_cpus(6)) == 6);
  CHECK(machine.cores({}) == 1);
}

TEST_CASE("Hardware threads of one core count once", "[runtime]") {
  FakeMachine machine;
  for (int cpu = 0; cpu < 8; ++cpu) machine.siblings(cpu, std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4));
  CHECK(machine.cores(first_cpus(8)) == 4);
  CHECK(machine.cores({0, 1, 4, 5}) == 2); // two cores, both threads of each
  CHECK(machine.cores({2, 3, 4, 5}) == 4); // four cores, one thread of each
  CHECK(machine.cores({6}) == 1);
}

TEST_CASE("Efficiency cores of a hybrid processor do not count", "[runtime]") {
  // 4 performance cores with two threads each, 8 efficiency cores.
  FakeMachine machine;
  machine.file("sys/devices/cpu_core/cpus", "0-7").file("sys/devices/cpu_atom/cpus", "8-15");
  for (int cpu = 0; cpu < 8; ++cpu) machine.siblings(cpu, std::to_string(cpu / 2 * 2) + "-" + std::to_string(cpu / 2 * 2 + 1));
  for (int cpu = 8; cpu < 16; ++cpu) machine.siblings(cpu, std::to_string(cpu));
  CHECK(machine.cores(first_cpus(16)) == 4);
  CHECK(machine.cores({0, 2, 8, 9, 10}) == 2);
  CHECK(machine.cores({8, 9, 10}) == 3); // nothing else is to be had
}

TEST_CASE("Little cores of a phone do not count", "[runtime]") {
  // 4 little, 3 middle and 1 big core.
  FakeMachine machine;
  const char* const capacities[] = {"325", "325", "325", "325", "828", "828", "828", "1024"};
  for (int cpu = 0; cpu < 8; ++cpu) machine.siblings(cpu, std::to_string(cpu)).cpu_file(cpu, "cpu_capacity", capacities[cpu]);
  CHECK(machine.cores(first_cpus(8)) == 4);
  CHECK(machine.cores(first_cpus(4)) == 4); // an application in the background gets the little ones
  CHECK(machine.cores({0, 1, 7}) == 1);
}

TEST_CASE("Where only frequencies are known, much slower cores do not count", "[runtime]") {
  SECTION("compact cores") {
    FakeMachine machine;
    for (int cpu = 0; cpu < 12; ++cpu) machine.cpu_file(cpu, "cpufreq/cpuinfo_max_freq", cpu < 4 ? "5100000" : "3300000");
    CHECK(machine.cores(first_cpus(12)) == 4);
  }
  SECTION("favoured cores") {
    FakeMachine machine;
    for (int cpu = 0; cpu < 8; ++cpu) machine.cpu_file(cpu, "cpufreq/cpuinfo_max_freq", cpu < 2 ? "5800000" : "5400000");
    CHECK(machine.cores(first_cpus(8)) == 8);
  }
  SECTION("equal capacities say nothing") {
    FakeMachine machine;
    for (int cpu = 0; cpu < 4; ++cpu)
      machine.cpu_file(cpu, "cpu_capacity", "1024").cpu_file(cpu, "cpufreq/cpuinfo_max_freq", cpu < 2 ? "3000000" : "1500000");
    CHECK(machine.cores(first_cpus(4)) == 2);
  }
  SECTION("numbers that are none are left out of account") {
    FakeMachine machine;
    for (int cpu = 0; cpu < 4; ++cpu) machine.cpu_file(cpu, "cpufreq/cpuinfo_max_freq", cpu < 2 ? "3000000" : "unknown");
    CHECK(machine.cores(first_cpus(4)) == 4);
  }
}

TEST_CASE("The quota of a control group is found, version 2", "[runtime]") {
  FakeMachine machine;
  SECTION("none") {
    CHECK_FALSE(cpu_quota(machine.root()).has_value());
    machine.file("proc/self/cgroup", "0::/").file("sys/fs/cgroup/cgroup.controllers", "cpu");
    CHECK_FALSE(cpu_quota(machine.root()).has_value());
    machine.file("sys/fs/cgroup/cpu.max", "max 100000");
    CHECK_FALSE(cpu_quota(machine.root()).has_value());
  }
  SECTION("of a container") {
    machine.file("proc/self/cgroup", "0::/").file("sys/fs/cgroup/cpu.max", "150000 100000");
    CHECK(cpu_quota(machine.root()).value() == Approx(1.5));
  }
  SECTION("the least of the groups on the way up") {
    machine.file("proc/self/cgroup", "0::/user.slice/app.scope");
    machine.file("sys/fs/cgroup/user.slice/cpu.max", "200000 100000");
    machine.file("sys/fs/cgroup/user.slice/app.scope/cpu.max", "800000 100000");
    CHECK(cpu_quota(machine.root()).value() == Approx(2));
    machine.file("sys/fs/cgroup/user.slice/app.scope/cpu.max", "50000 100000");
    CHECK(cpu_quota(machine.root()).value() == Approx(0.5));
  }
  SECTION("nonsense is no quota") {
    machine.file("proc/self/cgroup", "0::/");
    for (const char* text : {"", "100000", "-1 100000", "100000 0", "many 100000", "1 2 3"}) {
      machine.file("sys/fs/cgroup/cpu.max", text);
      CHECK_FALSE(cpu_quota(machine.root()).has_value());
    }
    machine.file("proc/self/cgroup", "not a line\n::\n0");
    CHECK_FALSE(cpu_quota(machine.root()).has_value());
  }
}

TEST_CASE("The quota of a control group is found, version 1", "[runtime]") {
  FakeMachine machine;
  machine.file("proc/self/cgroup", "5:cpuset:/\n3:cpu,cpuacct:/docker/abc\n0::/");
  CHECK_FALSE(cpu_quota(machine.root()).has_value());
  SECTION("at the mount point, as a container sees it") {
    machine.file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000")
        .file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
    CHECK(cpu_quota(machine.root()).value() == Approx(3));
  }
  SECTION("in the group's own folder") {
    machine.file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1").file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
    CHECK_FALSE(cpu_quota(machine.root()).has_value());
    machine.file("sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us", "25000")
        .file("sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us", "50000");
    CHECK(cpu_quota(machine.root()).value() == Approx(0.5));
  }
}

TEST_CASE("The default number of threads fits this machine", "[runtime]") {
  const int n_threads = mote::default_thread_count();
  CHECK(n_threads >= 1);
  CHECK(n_threads <= mote::runtime::available_cpu_count());
  const std::vector<int> cpus = mote::runtime::available_cpus();
  if (!cpus.empty()) CHECK(static_cast<int>(cpus.size()) == mote::runtime::available_cpu_count());
}

TEST_CASE("A session runs no more threads than there are processors", "[runtime]") {
  const int n_cpus = mote::runtime::available_cpu_count(), n_threads = std::min(n_cpus + 3, 1024);
  const auto spec = mote::spec_from_shape("family=llama,layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=320,ctx=64");
  REQUIRE(spec);
  const auto model = mote::Model::random(*spec, mote::Mix::Q8_0, 0);
  REQUIRE(model);
  auto session = mote::Session::create(*model, {.n_threads = n_threads, .profile = true, .trace_events = 1000});
  REQUIRE(session);
  const std::int32_t tokens[] = {1, 2, 3};
  REQUIRE(session->decode(tokens));
  REQUIRE(session->decode({tokens, 1}));
  std::set<int> seen;
  for (const mote::TraceEvent& event : session->trace()) seen.insert(event.thread);
  CHECK(static_cast<int>(seen.size()) == std::min(n_cpus, n_threads));
  CHECK(session->n_threads() == n_threads);
}

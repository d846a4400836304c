#include "bench/meters.h"

#include <unistd.h>

#include <map>
#include <thread>

#include "bench/machine.h"
#include "tests/catch.h"
#include "tests/unit/bench_program.h"

using bench::Counters;
using bench::CounterSource;
using bench::EnergyMeter;
using mote::Error;
using mote::ErrorCode;
using mote::Status;

namespace {

/// Each count grows by its step at every read.
class FakeCounters : public CounterSource {
 public:
  Event refused = Event::cache_misses;
  bool refuses = false;
  int n_reads_left = 1000;

  Status open(Event event) override {
    if (refuses && event == refused) return Error{ErrorCode::unsupported, "no such counter"};
    return {};
  }
  mote::Result<std::int64_t> read(Event event) override {
    if (n_reads_left-- == 0) return Error{ErrorCode::io, "it went away"};
    return counts_[event] += event == Event::cycles ? 100 : event == Event::instructions ? 300 : 7;
  }

 private:
  std::map<Event, std::int64_t> counts_;
};

/// A folder as Linux's powercap has it.
class FakePackages {
 public:
  void add(const std::string& zone, const std::string& name, std::int64_t microjoules) {
    std::filesystem::create_directories(folder.file(zone));
    folder.write(zone + "/name", name + "\n");
    folder.write(zone + "/max_energy_range_uj", "1000000\n");
    set(zone, microjoules);
  }
  void set(const std::string& zone, std::int64_t microjoules) {
    folder.write(zone + "/energy_uj", std::to_string(microjoules) + "\n");
  }
  mote::test::TempDir folder;
};

Error no_energy() { return {ErrorCode::unsupported, "no energy"}; }

} // namespace

TEST_CASE("Counters count since they were opened", "[bench]") {
  bench::Meters meters(std::make_unique<FakeCounters>(), no_energy());
  CHECK(meters.counters_unavailable().empty());
  CHECK(meters.energy_unavailable() == "no energy");
  const bench::Usage first = meters.read(), used = meters.read() - first;
  CHECK(used.counts.cycles == 100);
  CHECK(used.counts.instructions == 300);
  CHECK(used.counts.cache_misses == 7);
  CHECK(used.joules == 0);
}

TEST_CASE("Counters that are refused or go away say why and read as zeros", "[bench]") {
  auto refusing = std::make_unique<FakeCounters>();
  refusing->refuses = true;
  Counters none(std::move(refusing));
  CHECK(none.unavailable() == "no such counter");
  CHECK(none.read().cycles == 0);

  auto leaving = std::make_unique<FakeCounters>();
  leaving->n_reads_left = 4;
  Counters some(std::move(leaving));
  CHECK(some.read().cycles == 100);
  CHECK(some.unavailable().empty());
  CHECK(some.read().cycles == 0);
  CHECK(some.unavailable() == "it went away");
}

TEST_CASE("The system's counters count, or say why there are none", "[bench]") {
  Counters counters(bench::perf_events());
  const auto before = counters.read();
  volatile double x = 1;
  for (int i = 0; i < 1'000'000; ++i) x = x * 1.000001;
  const auto after = counters.read();
  if (counters.unavailable().empty()) {
    CHECK(after.instructions > before.instructions + 1'000'000);
    CHECK(after.cycles > before.cycles);
  } else {
    CHECK(counters.unavailable().find('\n') == std::string::npos);
    CHECK(after.cycles == 0);
  }
}

TEST_CASE("Energy is that of all packages, also where a register begins anew", "[bench]") {
  FakePackages packages;
  packages.add("intel-rapl:0", "package-0", 400'000);
  packages.add("intel-rapl:0:0", "core", 5);
  packages.add("intel-rapl:1", "package-1", 999'990);
  const auto meter = EnergyMeter::of_packages(packages.folder.path());
  REQUIRE(meter);
  CHECK((*meter)->source() == "RAPL, 2 packages");
  CHECK(*(*meter)->joules() == 0);
  packages.set("intel-rapl:0", 600'000);
  packages.set("intel-rapl:0:0", 900'000);
  packages.set("intel-rapl:1", 10);
  CHECK(*(*meter)->joules() == Approx(0.2 + 20e-6));
  packages.set("intel-rapl:1", 30);
  CHECK(*(*meter)->joules() == Approx(0.2 + 40e-6));
  packages.folder.write("intel-rapl:1/energy_uj", "gone");
  const auto broken = (*meter)->joules();
  REQUIRE_FALSE(broken);
  CHECK(broken.error().message.find("found 'gone'") != std::string::npos);
}

TEST_CASE("Energy that cannot be read is not available, and why", "[bench]") {
  const mote::test::TempDir empty;
  for (const std::string& root : {empty.path(), empty.file("absent")}) {
    const auto meter = EnergyMeter::of_packages(root);
    REQUIRE_FALSE(meter);
    CHECK(meter.error().message.find("no package") != std::string::npos);
  }
  FakePackages packages;
  packages.add("intel-rapl:0", "package-0", 1);
  std::filesystem::remove(packages.folder.file("intel-rapl:0/energy_uj"));
  const auto meter = EnergyMeter::of_packages(packages.folder.path());
  REQUIRE_FALSE(meter);
  CHECK(meter.error().message.find("energy_uj: cannot read it: No such file") != std::string::npos);
}

TEST_CASE("A file of microjoules counts up, one of microwatts is power times time", "[bench]") {
  const mote::test::TempDir folder;
  const std::string path = folder.write("number", "5000000\n");
  const auto energy = EnergyMeter::of_file({path, bench::PowerUnit::microjoules});
  const auto power = EnergyMeter::of_file({path, bench::PowerUnit::microwatts});
  REQUIRE((energy && power));
  CHECK((*energy)->source() == path);
  const auto begin = std::chrono::steady_clock::now();
  double joules = 0;
  while (joules == 0) {
    joules = *(*power)->joules();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  CHECK(joules <= 5.0 * (passed.count() + 0.1)); // the meter began a little earlier
  CHECK(*(*energy)->joules() == 0);
}

TEST_CASE("A power file has a number in it", "[bench]") {
  const mote::test::TempDir folder;
  for (const auto unit : {bench::PowerUnit::microjoules, bench::PowerUnit::microwatts})
    for (const std::string& path : {folder.file("absent"), folder.write("word", "much"), folder.write("empty", "")}) {
      const auto meter = EnergyMeter::of_file({path, unit});
      REQUIRE_FALSE(meter);
      CHECK(meter.error().code == ErrorCode::io);
      CHECK(meter.error().message.starts_with(path));
    }
}

TEST_CASE("Sensors are the mean of the clocks and the warmest zone", "[bench]") {
  const mote::test::TempDir folder;
  CHECK(bench::read_sensors(folder.path()).core_hz == 0);
  const auto write = [&](const std::string& directory, const char* file, const char* text) {
    std::filesystem::create_directories(folder.file(directory));
    folder.write(directory + "/" + file, text);
  };
  write("devices/system/cpu/cpufreq/policy0", "scaling_cur_freq", "3000000\n");
  write("devices/system/cpu/cpufreq/policy1", "scaling_cur_freq", "2000000\n");
  write("class/thermal/thermal_zone0", "temp", "45000\n");
  write("class/thermal/thermal_zone1", "temp", "61500\n");
  write("class/thermal/cooling_device0", "temp", "99000\n");
  const bench::Sensors sensors = bench::read_sensors(folder.path());
  CHECK(sensors.core_hz == Approx(2.5e9));
  CHECK(sensors.celsius == Approx(61.5));
}

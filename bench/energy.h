/// The energy that the machine takes, where it says so.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "mote/result.h"

namespace bench {

/// What the number in a file means.
enum class PowerUnit : std::uint8_t { microwatts, microjoules };

/// A file with a whole number: the power at the moment, or the energy so far.
struct PowerFile {
  std::string path;
  PowerUnit unit = PowerUnit::microwatts;
};
/// "uW:PATH" or "uJ:PATH". Error: invalid_argument.
mote::Result<PowerFile> parse_power_file(std::string_view word);

/// Joules since the start.
class EnergyMeter {
 public:
  /// Of the file, read every few milliseconds by a thread of its own where it is a power. Error: io (no number in it).
  static mote::Result<std::unique_ptr<EnergyMeter>> of_file(const PowerFile& file);
  /// Of all packages that Linux's powercap has below root, "/sys/class/powercap". Error: unsupported, and why.
  static mote::Result<std::unique_ptr<EnergyMeter>> of_packages(const std::string& root);
  ~EnergyMeter();

  /// Of the package, or of what the file is about. Error: io.
  mote::Result<double> joules();
  /// "RAPL, 1 package", or the path of the file
  const std::string& source() const noexcept { return source_; }

 private:
  /// An energy that begins anew behind its range.
  struct Register {
    std::string path;
    std::int64_t range = 0; ///< microjoules; 0: it never begins anew
    std::int64_t last = 0, total = 0;
  };
  EnergyMeter() = default;
  mote::Status add(Register reg);
  void poll(const std::string& path, std::int64_t first);

  std::string source_;
  std::vector<Register> registers_;
  // of a power file
  std::thread poller_;
  std::atomic<bool> ends_{false};
  std::mutex mutex_; ///< of what follows
  double polled_joules_ = 0;
  mote::Status polled_;
};

} // namespace bench

/// Calibrations, kept on disk.
#pragma once
#include <string>
#include <vector>

#include "mote/predict.h"

namespace bench {

/// Of one machine and one version of mote: calibrations for each ISA and number of threads that was asked for. A machine can be
/// in states of its own: the cores of a virtual one share their caches at one time and not at another. What tells them apart is
/// how fast memory is read, and each state has a calibration.
struct CalibrationFile {
  std::string machine, mote; ///< the processor's name; the version
  std::vector<mote::Calibration> calibrations;

  /// Of several the one made when memory was read nearly as fast; read_bandwidth 0: the first. Null when there is none.
  const mote::Calibration* find(mote::Isa isa, int n_threads, double read_bandwidth) const;
};

/// calibration.json in the user's cache folder ($XDG_CACHE_HOME/mote or ~/.cache/mote); empty where there is neither.
std::string default_calibration_path();

std::string to_json(const CalibrationFile& file);
/// name: of the file, for errors. Error: bad_file, a line that says what is wrong.
mote::Result<CalibrationFile> calibration_from_json(const std::string& text, const std::string& name);

/// Errors: io, and those of calibration_from_json().
mote::Result<CalibrationFile> read_calibration_file(const std::string& path);
/// Makes the folder where it is missing. Error: io.
mote::Status write_calibration_file(const CalibrationFile& file, const std::string& path);

} // namespace bench

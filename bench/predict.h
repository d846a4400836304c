/// Predictions of the time that models would take.
#pragma once
#include <string>

#include "bench/options.h"
#include "bench/output.h"
#include "bench/progress.h"

namespace bench {

/// The calibration of a file, made and kept there where it is missing. A file of another machine is read, never added to; the
/// default one is made anew when it is of another machine or version. path: empty for the default one. read_bandwidth: of the
/// memory now, bytes per second, for the state of this machine; 0: any state.
/// Errors: io, bad_file, invalid_argument (a file of another machine that lacks the ISA and threads), those of calibrate().
mote::Result<mote::Calibration> obtain_calibration(const std::string& path, mote::Isa isa, int n_threads, double read_bandwidth,
                                                   Progress& progress);

/// What options.predict asks for. Errors: those of obtain_calibration(), of the library, io.
mote::Status run_predict(const Options& options, Progress& progress, Output& output);

} // namespace bench

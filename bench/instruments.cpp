#include "bench/instruments.h"

#include "bench/option_words.h"

namespace bench {

void InstrumentWords::describe(CLI::App& app) {
  add(app, "--trace", "FILE", trace,
      "Write what each thread did in one more run, for Perfetto or chrome://tracing (the first 100000 events of each)");
  add(app, "--sustain", "SECONDS", sustain, "Then decode for so long, and report the speed as it goes");
  add(app, "--power-file", "UNIT:FILE", power_file,
      "Energy from a file with a number: uW:FILE is read again and again, uJ:FILE counts up (default: RAPL)");
  app.add_flag("--overhead", overhead, "Measure what measuring costs: decode with the profiler and without in turn");
}

mote::Result<Instruments> InstrumentWords::read() const {
  constexpr int kMostSeconds = 7 * 24 * 3600;
  Instruments instruments;
  instruments.trace = trace;
  instruments.overhead = overhead;
  if (!sustain.empty()) {
    const auto seconds = parse_number("--sustain", sustain, 1, kMostSeconds);
    if (!seconds) return seconds.error();
    instruments.sustain = *seconds;
  }
  if (!power_file.empty()) {
    const auto file = of_option("--power-file", parse_power_file(power_file));
    if (!file) return file.error();
    instruments.power_file = *file;
  }
  return instruments;
}

} // namespace bench

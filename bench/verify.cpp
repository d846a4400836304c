#include "bench/verify.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "bench/bandwidth.h"
#include "bench/benchmark.h"
#include "bench/calibrate.h"
#include "bench/predict.h"
#include "bench/statistics.h"

namespace bench {
namespace {

using mote::Result;
using mote::Status;

std::string row_of(const Verified& v) {
  return fmt::format("{:<24}{:>8.1f}{:>11.2f}{:>11.2f}{:>8.1f}%{:>12.3f}{:>11.3f}{:>8.1f}%\n", v.model, v.read_bandwidth / 1e9,
                     v.predicted_first_ns / 1e6, v.measured_first_ns / 1e6, 100 * v.first_error(), v.predicted_token_ns / 1e6,
                     v.measured_token_ns / 1e6, 100 * v.token_error());
}

std::string summary(const char* what, const std::vector<Verified>& all, double Verified::*predicted, double Verified::*measured) {
  std::vector<double> predictions, measurements, errors;
  for (const Verified& v : all) {
    predictions.push_back(v.*predicted);
    measurements.push_back(v.*measured);
    errors.push_back(std::fabs(v.*predicted / v.*measured - 1));
  }
  return fmt::format("{:<12} median error {:.1f}%, 90th percentile {:.1f}%, largest {:.1f}%, Spearman {:.4f}\n", what,
                     100 * median(errors), 100 * quantile(errors, 0.9), 100 * quantile(errors, 1),
                     spearman(predictions, measurements));
}

} // namespace

Result<Verified> verify_model(const Options& options, const Source& source, Progress& progress) {
  Options one = options;
  one.sources = {source};
  one.types.resize(1);
  one.isas.resize(1);
  one.threads.resize(1);
  one.prompts.resize(1);
  one.generates.resize(1);
  Verified verified;
  verified.model = source.name;
  constexpr int kMostRuns = 4;
  for (int run = 1; run <= kMostRuns; ++run) { // again, if the machine's state changed meanwhile
    const Status measured = run_all(one, progress, [&](RunReport report) -> Status {
      verified.read_bandwidth = report.roofline.read_bandwidth;
      verified.measured_first_ns = static_cast<double>(report.time_to_first_token_ns.median);
      verified.measured_token_ns = static_cast<double>(report.decode.token_ns.p50);
      return {};
    });
    if (!measured) return measured.error();
    const Result<double> after = measure_read_bandwidth(one.threads[0]);
    if (!after) return after.error();
    if (same_state(verified.read_bandwidth, *after)) break;
  }
  const Result<mote::Calibration> calibration =
      obtain_calibration(options.predict->calibration, one.isas[0], one.threads[0], verified.read_bandwidth, progress);
  if (!calibration) return calibration.error();
  mote::PredictOptions predict;
  predict.n_prompt = one.prompts[0];
  predict.positions = {one.prompts[0] + one.generates[0] / 2};
  predict.read_bandwidth = verified.read_bandwidth;
  const Result<mote::Prediction> prediction = mote::predict(*source.spec, one.types[0], *calibration, predict);
  if (!prediction) return prediction.error();
  verified.predicted_first_ns = prediction->first_token.total_ns;
  verified.predicted_token_ns = prediction->tokens[0].total_ns;
  return verified;
}

Status run_verify(const Options& options, Progress& progress, Output& output) {
  const std::string head = fmt::format(
      "{} models, {}, {}, {} threads, prompt {}, {} tokens generated; times in milliseconds, memory in GB/s while a model "
      "ran.\n\n"
      "{:<24}{:>8}{:>31}{:>32}\n{:<24}{:>8}{:>11}{:>11}{:>9}{:>12}{:>11}{:>9}\n",
      options.sources.size(), mote::mix_name(options.types[0]), mote::isa_name(options.isas[0]), options.threads[0],
      options.prompts[0], options.generates[0], "", "", "first token", "per token", "model", "memory", "predicted", "measured",
      "error", "predicted", "measured", "error");
  if (Status s = output.write(head); !s) return s;
  std::vector<Verified> all;
  for (const Source& source : options.sources) {
    const Result<Verified> verified = verify_model(options, source, progress);
    if (!verified) return verified.error();
    all.push_back(*verified);
    if (Status s = output.write(row_of(all.back())); !s) return s;
  }
  const std::string text = "\n" + summary("first token:", all, &Verified::predicted_first_ns, &Verified::measured_first_ns) +
                           summary("per token:", all, &Verified::predicted_token_ns, &Verified::measured_token_ns);
  if (Status s = output.write(text); !s) return s;
  return output.finish();
}

} // namespace bench

#include "bench/predict.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>

#include "bench/calibrate.h"
#include "bench/calibration_file.h"
#include "bench/machine.h"
#include "bench/report.h"
#include "bench/search.h"
#include "bench/verify.h"

namespace bench {
namespace {

using mote::Error;
using mote::ErrorCode;
using mote::PredictedTime;
using mote::Result;
using mote::Status;
using Json = nlohmann::json;

/// A combination of options and what it would cost.
struct Forecast {
  std::string model;
  mote::Mix type = mote::Mix::Q4_K_M;
  std::int64_t n_parameters = 0;
  mote::Isa isa = mote::Isa::scalar;
  int n_threads = 0, prompt = 0;
  std::vector<int> depths; ///< of prediction.tokens
  mote::Prediction prediction;
  mote::MemoryPlan memory;
};

double ms(double ns) { return ns / 1e6; }
double mb(std::size_t bytes) { return static_cast<double>(bytes) / 1e6; }

/// The lines of a row: the prompt, then each depth.
template <class Line> void each_time(const Forecast& row, Line line) {
  line(fmt::format("first token, prompt {}", row.prompt), row.prediction.first_token);
  for (std::size_t i = 0; i < row.depths.size(); ++i) line(fmt::format("token at {}", row.depths[i]), row.prediction.tokens[i]);
}

std::string title_of(const Forecast& row) {
  return fmt::format("{} {}, {:.1f} M parameters, {}, {} thread{}", row.model, mote::mix_name(row.type),
                     static_cast<double>(row.n_parameters) / 1e6, mote::isa_name(row.isa), row.n_threads,
                     row.n_threads == 1 ? "" : "s");
}

std::string memory_of_row(const Forecast& row) {
  return fmt::format("memory {:.1f} MB: parameters {:.1f}, KV cache {:.1f}, states {:.1f}, compute {:.1f}",
                     mb(row.memory.total()), mb(row.memory.use.parameters), mb(row.memory.use.kv_cache), mb(row.memory.use.state),
                     mb(row.memory.use.compute));
}

/// Of a table for people, in columns or as Markdown.
std::string line_of(std::string_view what, const std::array<std::string, 7>& cells, bool markdown) {
  std::string line = markdown ? fmt::format("| {} |", what) : fmt::format("  {:<26}", what);
  for (const std::string& cell : cells) line += markdown ? fmt::format(" {} |", cell) : fmt::format("{:>11}", cell);
  return line + '\n';
}

std::string text_of(const Forecast& row, bool markdown) {
  std::string text = (markdown ? "### " : "") + title_of(row) + (markdown ? "\n\n" : "\n");
  text += line_of("ms", {"total", "embedding", "attention", "ffn", "lm_head", "other", "waiting"}, markdown);
  if (markdown) text += "|---|---:|---:|---:|---:|---:|---:|---:|\n";
  each_time(row, [&](const std::string& what, const PredictedTime& time) {
    const auto number = [](double ns) { return fmt::format("{:.3f}", ms(ns)); };
    const auto& c = time.component_ns;
    text += line_of(
        what, {number(time.total_ns), number(c[0]), number(c[1]), number(c[2]), number(c[3]), number(c[4]), number(time.wait_ns)},
        markdown);
  });
  return text + (markdown ? "\n" : "  ") + memory_of_row(row) + "\n\n";
}

Json json_of(const PredictedTime& time) {
  Json components;
  for (int i = 0; i < mote::kNumComponents; ++i)
    components[std::string(mote::component_name(static_cast<mote::Component>(i)))] =
        time.component_ns[static_cast<std::size_t>(i)];
  return {{"ns", time.total_ns}, {"components_ns", components}, {"wait_ns", time.wait_ns}};
}

Json json_of(const Forecast& row) {
  Json tokens = Json::array();
  for (std::size_t i = 0; i < row.depths.size(); ++i) {
    tokens.push_back(json_of(row.prediction.tokens[i]));
    tokens.back()["position"] = row.depths[i];
  }
  const mote::MemoryUse& use = row.memory.use;
  return {{"model", row.model},
          {"type", mote::mix_name(row.type)},
          {"n_parameters", row.n_parameters},
          {"isa", mote::isa_name(row.isa)},
          {"threads", row.n_threads},
          {"prompt", row.prompt},
          {"first_token", json_of(row.prediction.first_token)},
          {"tokens", tokens},
          {"memory",
           {{"total", row.memory.total()},
            {"parameters", use.parameters},
            {"kv_cache", use.kv_cache},
            {"state", use.state},
            {"compute", use.compute}}}};
}

std::string csv_of(const Forecast& row) {
  std::string text;
  const auto add = [&](std::string_view phase, int position, const PredictedTime& time) {
    std::string name = row.model;
    for (std::size_t at = 0; (at = name.find('"', at)) != std::string::npos; at += 2) name.insert(at, 1, '"');
    fmt::format_to(std::back_inserter(text), "\"{}\",{},{},{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{}\n", name,
                   mote::mix_name(row.type), mote::isa_name(row.isa), row.n_threads, phase, position, ms(time.total_ns),
                   ms(time.component_ns[0]), ms(time.component_ns[1]), ms(time.component_ns[2]), ms(time.component_ns[3]),
                   ms(time.component_ns[4]), ms(time.wait_ns), row.memory.total());
  };
  add("first_token", row.prompt, row.prediction.first_token);
  for (std::size_t i = 0; i < row.depths.size(); ++i) add("token", row.depths[i], row.prediction.tokens[i]);
  return text;
}

/// A model's shape and mix: of a file, what stands in it.
struct Subject {
  mote::ModelSpec spec;
  std::vector<mote::Mix> types;
};

Result<Subject> subject_of(const Options& options, const Source& source) {
  if (source.spec) return Subject{*source.spec, options.types};
  const Result<mote::Model> model = mote::Model::open(source.name);
  if (!model) return model.error();
  const Result<mote::Mix> mix = mote::mix_from_name(model->type_name());
  if (!mix)
    return Error{ErrorCode::unsupported,
                 fmt::format("{}: predictions are of mixes, its types are none: {}", source.name, mix.error().message)};
  return Subject{model->spec(), {*mix}};
}

Result<std::vector<Forecast>> predict_source(const Options& options, const Source& source, const mote::Calibration& calibration) {
  const Result<Subject> subject = subject_of(options, source);
  if (!subject) return subject.error();
  std::vector<Forecast> rows;
  for (const mote::Mix type : subject->types)
    for (const int prompt : options.prompts)
      for (const int generate : options.generates) {
        const Result<int> context = context_of_run(source.name, subject->spec.n_ctx, options.context, prompt, generate);
        if (!context) return context.error();
        Forecast row{source.name,
                     type,
                     mote::parameter_count(subject->spec),
                     calibration.isa,
                     calibration.n_threads,
                     prompt,
                     options.predict->depths,
                     {},
                     {}};
        if (row.depths.empty()) row.depths = {prompt, prompt + generate - 1};
        auto prediction = mote::predict(subject->spec, type, calibration, {.n_prompt = prompt, .positions = row.depths});
        if (!prediction) return std::move(prediction).error();
        row.prediction = *std::move(prediction);
        const auto memory = mote::memory_of(subject->spec, type, {.n_ctx = *context, .n_threads = calibration.n_threads});
        if (!memory) return memory.error();
        row.memory = *memory;
        rows.push_back(std::move(row));
      }
  return rows;
}

Status write_rows(const Options& options, const std::vector<Forecast>& rows, Output& output) {
  std::string text;
  Json all = Json::array();
  if (options.format == Format::csv)
    text = "model,type,isa,threads,phase,position,total_ms,embedding_ms,attention_ms,ffn_ms,lm_head_ms,other_ms,wait_ms,memory\n";
  for (const Forecast& row : rows) {
    if (options.format == Format::json) all.push_back(json_of(row));
    else text += options.format == Format::csv ? csv_of(row) : text_of(row, options.format == Format::markdown);
  }
  if (options.format == Format::json)
    text = Json{{"mote", mote_version()}, {"machine", this_machine().cpu}, {"predictions", all}}.dump(1) + "\n";
  if (Status s = output.write(text); !s) return s;
  return output.finish();
}

} // namespace

Result<mote::Calibration> obtain_calibration(const std::string& asked, mote::Isa isa, int n_threads, double read_bandwidth,
                                             Progress& progress) {
  const std::string path = asked.empty() ? default_calibration_path() : asked;
  CalibrationFile file{this_machine().cpu, std::string(mote_version()), {}};
  if (!path.empty() && std::filesystem::exists(path)) {
    Result<CalibrationFile> kept = read_calibration_file(path);
    if (!kept) return std::move(kept).error();
    const bool ours = kept->machine == file.machine && kept->mote == file.mote;
    const mote::Calibration* found = kept->find(isa, n_threads, read_bandwidth);
    if (!asked.empty() && !ours && !found)
      return Error{ErrorCode::invalid_argument,
                   fmt::format("--calibration: {} is of mote {} on {} and has nothing for {} with {} threads", path, kept->mote,
                               kept->machine, mote::isa_name(isa), n_threads)};
    const bool fits = found && (read_bandwidth == 0 || same_state(found->read_bandwidth, read_bandwidth));
    if (ours ? fits : found && !asked.empty()) return *found;
    if (ours) file = *std::move(kept);
  }
  const auto made = calibrate(isa, n_threads, progress);
  if (!made) return made.error();
  for (const mote::Calibration& calibration : *made) {
    const mote::Calibration* old = file.find(isa, n_threads, calibration.read_bandwidth);
    if (!old || !same_state(old->read_bandwidth, calibration.read_bandwidth)) file.calibrations.push_back(calibration);
  }
  if (!path.empty())
    if (Status s = write_calibration_file(file, path); !s) return s.error();
  return *file.find(isa, n_threads, read_bandwidth);
}

Status run_predict(const Options& options, Progress& progress, Output& output) {
  if (options.predict->search) return run_search(options, progress, output);
  if (options.predict->verify) return run_verify(options, progress, output);
  std::vector<Forecast> rows;
  for (const mote::Isa isa : options.isas)
    for (const int n_threads : options.threads) {
      const auto calibration = obtain_calibration(options.predict->calibration, isa, n_threads, 0, progress);
      if (!calibration) return calibration.error();
      for (const Source& source : options.sources) {
        const auto predicted = predict_source(options, source, *calibration);
        if (!predicted) return predicted.error();
        rows.insert(rows.end(), predicted->begin(), predicted->end());
      }
    }
  return write_rows(options, rows, output);
}

} // namespace bench

#include "bench/calibration_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/output.h"

// Found by the JSON library where the types are.
namespace mote {

using Json = nlohmann::json;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MissShare, bytes, share)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AttentionCost, step_ns, head_ns, head_float_ns, position_ns, position_float_ns, key_float_ns,
                                   memory_head_ns, memory_byte_ns)

static void to_json(Json& j, const ProductCost& cost) {
  j = {{"type", type_info(cost.type).name}, {"row_ns", cost.row_ns}, {"weight_ns", cost.weight_ns}};
}

static void from_json(const Json& j, ProductCost& cost) {
  const auto name = j.at("type").get<std::string>();
  const auto type = type_from_name(name);
  if (!type) throw std::invalid_argument("type '" + name + "' is not known");
  cost = {*type, j.at("row_ns"), j.at("weight_ns")};
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PassCost, n_tokens, step_ns, memory_step_ns, memory_byte_ns, wait_ns, wait_share, row_ns,
                                   activation_ns, norm_ns, embed_ns, recurrence_ns, products)

static void to_json(Json& j, const Calibration& c) {
  j = {{"isa", isa_name(c.isa)},
       {"threads", c.n_threads},
       {"read_bandwidth_bytes_per_second", c.read_bandwidth},
       {"passes", c.passes},
       {"one_token", c.one_token},
       {"several_tokens", c.several_tokens},
       {"latent_key_ns", c.latent_key_ns},
       {"misses", c.misses},
       {"call_ns", c.call_ns},
       {"logit_ns", c.logit_ns}};
}

static void from_json(const Json& j, Calibration& c) {
  const auto isa = isa_from_name(j.at("isa").get<std::string>());
  if (!isa) throw std::invalid_argument(isa.error().message);
  c.isa = *isa;
  j.at("threads").get_to(c.n_threads);
  j.at("read_bandwidth_bytes_per_second").get_to(c.read_bandwidth);
  j.at("passes").get_to(c.passes);
  j.at("one_token").get_to(c.one_token);
  j.at("several_tokens").get_to(c.several_tokens);
  j.at("latent_key_ns").get_to(c.latent_key_ns);
  j.at("misses").get_to(c.misses);
  j.at("call_ns").get_to(c.call_ns);
  j.at("logit_ns").get_to(c.logit_ns);
}

} // namespace mote

namespace bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using mote::Error;
using mote::ErrorCode;
using mote::Result;
using mote::Status;

/// Every number of the file is a count, a time or a share: none is negative.
bool has_bad_number(const Json& json) {
  if (json.is_number()) return !(json.get<double>() >= 0) || !std::isfinite(json.get<double>());
  return std::ranges::any_of(json,
                             [](const Json& part) { return (part.is_number() || part.is_structured()) && has_bad_number(part); });
}

/// What makes a calibration useless for predictions; empty: nothing.
std::string problem_of(const mote::Calibration& c) {
  if (c.n_threads < 1) return "threads is 0";
  if (c.read_bandwidth <= 0) return "the read bandwidth is 0";
  if (c.passes.empty() || c.passes.front().n_tokens != 1) return "passes do not begin with one token";
  for (std::size_t i = 1; i < c.passes.size(); ++i)
    if (c.passes[i].n_tokens <= c.passes[i - 1].n_tokens) return "passes are not in ascending order";
  for (std::size_t i = 0; i < c.misses.size(); ++i)
    if (c.misses[i].share > 1 || c.misses[i].bytes < 1 || (i > 0 && c.misses[i].bytes <= c.misses[i - 1].bytes))
      return "misses are not shares at ascending bytes";
  return "";
}

} // namespace

const mote::Calibration* CalibrationFile::find(mote::Isa isa, int n_threads, double read_bandwidth) const {
  const mote::Calibration* nearest = nullptr;
  const auto distance = [&](const mote::Calibration& c) { return std::fabs(std::log(c.read_bandwidth / read_bandwidth)); };
  for (const mote::Calibration& c : calibrations)
    if (c.isa == isa && c.n_threads == n_threads && (!nearest || (read_bandwidth > 0 && distance(c) < distance(*nearest))))
      nearest = &c;
  return nearest;
}

std::string default_calibration_path() {
  const auto absolute = [](const char* name) {
    const char* value = std::getenv(name);
    return value && fs::path(value).is_absolute() ? fs::path(value) : fs::path(); // others do not count
  };
  fs::path folder = absolute("XDG_CACHE_HOME");
  if (folder.empty()) {
    folder = absolute("HOME");
    if (folder.empty()) return "";
    folder /= ".cache";
  }
  return (folder / "mote" / "calibration.json").string();
}

std::string to_json(const CalibrationFile& file) {
  return Json{{"mote", file.mote}, {"machine", file.machine}, {"calibrations", file.calibrations}}.dump(1) + "\n";
}

Result<CalibrationFile> calibration_from_json(const std::string& text, const std::string& name) {
  const auto bad = [&](const std::string& why) {
    return Error{ErrorCode::bad_file, fmt::format("{}: no calibration that bench_breakdown wrote: {}", name, why)};
  };
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return bad("it is no JSON");
  CalibrationFile file;
  try {
    json.at("machine").get_to(file.machine);
    json.at("mote").get_to(file.mote);
    json.at("calibrations").get_to(file.calibrations);
  } catch (const std::exception& error) {
    const std::string what = error.what(); // of the JSON library "[json.exception.out_of_range.403] key 'mote' not found"
    const std::size_t prefix = what.find("] ");
    return bad(prefix == std::string::npos ? what : what.substr(prefix + 2));
  }
  if (has_bad_number(json)) return bad("a number is negative or no number");
  for (const mote::Calibration& calibration : file.calibrations)
    if (const std::string problem = problem_of(calibration); !problem.empty()) return bad(problem);
  return file;
}

Result<CalibrationFile> read_calibration_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{ErrorCode::io, fmt::format("{}: cannot open it: {}", path, std::strerror(errno))};
  const std::string text(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) return Error{ErrorCode::io, fmt::format("{}: cannot read it: {}", path, std::strerror(errno))};
  return calibration_from_json(text, path);
}

Status write_calibration_file(const CalibrationFile& file, const std::string& path) {
  std::error_code ignored; // opening the output says what is wrong
  if (const fs::path folder = fs::path(path).parent_path(); !folder.empty()) fs::create_directories(folder, ignored);
  auto output = Output::open(path);
  if (!output) return std::move(output).error();
  if (Status s = output->write(to_json(file)); !s) return s;
  return output->finish();
}

} // namespace bench

#include "bench/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "bench/predict.h"
#include "bench/verify.h"

namespace bench {
namespace {

using mote::Result;
using mote::Status;

constexpr int kLayers[] = {2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 36, 40, 48, 56, 64};
constexpr double kFfnRatios[] = {2, 8.0 / 3, 3.5, 4};
constexpr int kHeadDims[] = {64, 128};
constexpr int kGroups[] = {1, 2, 4, 8}; ///< heads of a kv head
constexpr int kUnit = 64;               ///< widths are multiples of it

struct Dimensions {
  int n_layers = 0, d_model = 0, d_ff = 0, n_heads = 0, n_kv_heads = 0, n_vocab = 0;
  bool tied = false;
  double n_parameters() const {
    const double d = d_model, kv = d / n_heads * n_kv_heads;
    return n_layers * (2 * d * d + 2 * d * kv + 3 * d * d_ff + 2 * d) + (tied ? 1.0 : 2.0) * d * n_vocab + d;
  }
};

int rounded(double x) { return std::max(1, static_cast<int>(x / kUnit + 0.5)) * kUnit; }

/// The width whose number of parameters is nearest to the asked one: it grows with the width.
void find_width(Dimensions& shape, double ratio, int head_dim, int group, double n_parameters) {
  const auto set = [&](int d_model) {
    shape.d_model = d_model;
    shape.d_ff = rounded(ratio * d_model);
    shape.n_heads = std::max(1, d_model / head_dim);
    shape.n_kv_heads = shape.n_heads / group;
    return shape.n_kv_heads > 0 ? shape.n_parameters() : 0.0;
  };
  const int step = std::max(kUnit, head_dim);
  int best = 0;
  double least = n_parameters;
  for (int d_model = step; d_model <= 16384; d_model += step) {
    const double n = set(d_model);
    if (std::fabs(n - n_parameters) < least) least = std::fabs(n - n_parameters), best = d_model;
    if (n > 2 * n_parameters) break;
  }
  set(std::max(best, step));
}

Result<Candidate> candidate_of(const std::string& shape, const Options& options, const mote::Calibration& calibration) {
  const Result<mote::ModelSpec> spec = mote::spec_from_shape(shape);
  if (!spec) return spec.error();
  const int prompt = options.prompts[0], generate = options.generates[0];
  const auto prediction =
      mote::predict(*spec, options.types[0], calibration, {.n_prompt = prompt, .positions = {prompt + generate / 2}});
  if (!prediction) return prediction.error();
  const auto memory = mote::memory_of(*spec, options.types[0], {.n_ctx = prompt + generate, .n_threads = calibration.n_threads});
  if (!memory) return memory.error();
  return Candidate{shape,
                   mote::parameter_count(*spec),
                   static_cast<int>(spec->layers.size()),
                   prediction->tokens[0].total_ns,
                   prediction->first_token.total_ns,
                   static_cast<double>(memory->total())};
}

std::string table_of(const std::vector<Candidate>& front, bool markdown) {
  std::string text = markdown ? "| parameters [M] | layers | token [ms] | first token [ms] | memory [MB] | shape |\n"
                                "|---:|---:|---:|---:|---:|---|\n"
                              : fmt::format("{:>10}{:>8}{:>11}{:>13}{:>12}  {}\n{:>10}{:>8}{:>11}{:>13}{:>12}\n", "parameters",
                                            "layers", "token", "first token", "memory", "shape", "M", "", "ms", "ms", "MB");
  for (const Candidate& c : front) {
    const std::array<std::string, 5> numbers{fmt::format("{:.1f}", static_cast<double>(c.n_parameters) / 1e6),
                                             std::to_string(c.n_layers), fmt::format("{:.3f}", c.decode_ns / 1e6),
                                             fmt::format("{:.2f}", c.prefill_ns / 1e6),
                                             fmt::format("{:.1f}", c.memory_bytes / 1e6)};
    constexpr int kWidths[] = {10, 8, 11, 13, 12};
    for (std::size_t i = 0; i < numbers.size(); ++i)
      text += markdown ? "| " + numbers[i] + " " : fmt::format("{:>{}}", numbers[i], kWidths[i]);
    text += markdown ? "| " + c.shape + " |\n" : "  " + c.shape + "\n";
  }
  return text;
}

std::string json_of(const std::vector<Candidate>& front, std::size_t n_shapes, const std::vector<Verified>& verified) {
  nlohmann::json json{{"n_shapes", n_shapes}, {"front", nlohmann::json::array()}, {"verified", nlohmann::json::array()}};
  for (const Candidate& c : front)
    json["front"].push_back({{"shape", c.shape},
                             {"n_parameters", c.n_parameters},
                             {"layers", c.n_layers},
                             {"token_ns", c.decode_ns},
                             {"first_token_ns", c.prefill_ns},
                             {"memory", c.memory_bytes}});
  for (const Verified& v : verified)
    json["verified"].push_back({{"shape", v.model},
                                {"read_bandwidth_bytes_per_second", v.read_bandwidth},
                                {"predicted", {{"first_token_ns", v.predicted_first_ns}, {"token_ns", v.predicted_token_ns}}},
                                {"measured", {{"first_token_ns", v.measured_first_ns}, {"token_ns", v.measured_token_ns}}}});
  return json.dump(1) + "\n";
}

std::string csv_of(const std::vector<Candidate>& front) {
  std::string text = "n_parameters,layers,token_ms,first_token_ms,memory,shape\n";
  for (const Candidate& c : front)
    fmt::format_to(std::back_inserter(text), "{},{},{:.6f},{:.6f},{:.0f},\"{}\"\n", c.n_parameters, c.n_layers, c.decode_ns / 1e6,
                   c.prefill_ns / 1e6, c.memory_bytes, c.shape);
  return text;
}

Result<std::vector<Verified>> verify_front(const Options& options, const std::vector<Candidate>& front, Progress& progress) {
  std::vector<Verified> verified;
  const auto n = std::min(front.size(), static_cast<std::size_t>(options.predict->search->n_verified));
  for (std::size_t i = 0; i < n; ++i) {
    const Result<mote::ModelSpec> spec = mote::spec_from_shape(front[i].shape);
    if (!spec) return spec.error();
    Result<Verified> of_shape = verify_model(options, {front[i].shape, *spec}, progress);
    if (!of_shape) return std::move(of_shape).error();
    verified.push_back(*std::move(of_shape));
  }
  return verified;
}

std::string text_of(const std::vector<Verified>& verified) {
  std::string text = verified.empty() ? "" : "\nmeasured here, while memory was read as fast as is said:\n";
  for (const Verified& v : verified)
    fmt::format_to(
        std::back_inserter(text),
        "  token {:.3f} ms, predicted {:.3f} ({:+.1f}%); first token {:.2f} ms, predicted {:.2f} ({:+.1f}%); {:.1f} GB/s: {}\n",
        v.measured_token_ns / 1e6, v.predicted_token_ns / 1e6, 100 * v.token_error(), v.measured_first_ns / 1e6,
        v.predicted_first_ns / 1e6, 100 * v.first_error(), v.read_bandwidth / 1e9, v.model);
  return text;
}

Status write_result(const Options& options, std::vector<Candidate> front, std::size_t n_shapes, std::size_t n_within,
                    Progress& progress, Output& output) {
  const std::size_t n_front = front.size();
  front.resize(std::min(n_front, static_cast<std::size_t>(options.predict->search->n_rows)));
  const bool text = options.format == Format::table || options.format == Format::markdown;
  if (text) {
    const std::string head = fmt::format(
        "{} shapes of {:.0f} M parameters within {:.0f}%, {} of them within the budget; {} {}, {} threads, prompt {}, {} tokens "
        "generated.\nThe front of token time, memory and depth has {} shapes{}:\n\n",
        n_shapes, options.predict->search->n_parameters / 1e6, 100 * options.predict->search->tolerance, n_within,
        mote::mix_name(options.types[0]), mote::isa_name(options.isas[0]), options.threads[0], options.prompts[0],
        options.generates[0], n_front, front.size() < n_front ? fmt::format(", here the fastest {}", front.size()) : "");
    if (Status s = output.write(head + table_of(front, options.format == Format::markdown)); !s) return s;
  }
  const auto verified = verify_front(options, front, progress);
  if (!verified) return verified.error();
  const std::string rest = text                            ? text_of(*verified)
                           : options.format == Format::csv ? csv_of(front)
                                                           : json_of(front, n_shapes, *verified);
  if (Status s = output.write(rest); !s) return s;
  return output.finish();
}

} // namespace

std::vector<std::string> shapes_of(const SearchOptions& search) {
  std::vector<std::string> shapes;
  for (const int n_layers : kLayers)
    for (const double ratio : kFfnRatios)
      for (const int head_dim : kHeadDims)
        for (const int group : kGroups)
          for (const int n_vocab : search.vocabularies)
            for (const bool tied : {true, false}) {
              Dimensions shape{n_layers, 0, 0, 0, 0, n_vocab, tied};
              find_width(shape, ratio, head_dim, group, search.n_parameters);
              if (shape.n_kv_heads == 0 || shape.n_heads % group != 0) continue;
              if (std::fabs(shape.n_parameters() / search.n_parameters - 1) > search.tolerance) continue;
              shapes.push_back(fmt::format("layers={},d_model={},d_ff={},heads={},kv_heads={},vocab={},tied={}", n_layers,
                                           shape.d_model, shape.d_ff, shape.n_heads, shape.n_kv_heads, n_vocab, tied ? 1 : 0));
            }
  return shapes;
}

std::vector<Candidate> pareto_front(std::vector<Candidate> candidates, const Budget& budget) {
  const auto over = [](double cost, double most) { return most > 0 && cost > most; };
  std::erase_if(candidates, [&](const Candidate& c) {
    return over(c.decode_ns, budget.decode_ns) || over(c.prefill_ns, budget.prefill_ns) ||
           over(c.memory_bytes, budget.memory_bytes);
  });
  std::ranges::stable_sort(candidates, {}, &Candidate::decode_ns);
  std::vector<Candidate> front;
  for (Candidate& c : candidates) {
    const auto beats = [&](const Candidate& other) {
      return other.memory_bytes <= c.memory_bytes && other.n_layers >= c.n_layers;
    };
    if (std::ranges::none_of(front, beats)) front.push_back(std::move(c));
  }
  return front;
}

Status run_search(const Options& options, Progress& progress, Output& output) {
  const SearchOptions& search = *options.predict->search;
  const auto calibration = obtain_calibration(options.predict->calibration, options.isas[0], options.threads[0], 0, progress);
  if (!calibration) return calibration.error();
  const std::vector<std::string> shapes = shapes_of(search);
  std::vector<Candidate> candidates;
  for (const std::string& shape : shapes) {
    if (candidates.size() % 100 == 0)
      progress.show(fmt::format("predicting shape {} of {}", candidates.size() + 1, shapes.size()));
    Result<Candidate> candidate = candidate_of(shape, options, *calibration);
    if (!candidate) return std::move(candidate).error();
    candidates.push_back(*std::move(candidate));
  }
  progress.clear();
  const auto within = [&](const Candidate& c) { return !pareto_front({c}, search.budget).empty(); };
  const auto n_within = static_cast<std::size_t>(std::ranges::count_if(candidates, within));
  return write_result(options, pareto_front(std::move(candidates), search.budget), shapes.size(), n_within, progress, output);
}

} // namespace bench

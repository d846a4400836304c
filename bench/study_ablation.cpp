#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <random>

#include "bench/statistics.h"
#include "bench/study.h"

namespace bench {
namespace {

using mote::Error;
using mote::ErrorCode;
using mote::Result;

struct Speed {
  double prefill = 0, decode = 0; ///< tokens per second
};
using Speeds = std::map<std::string, Speed>;

bool parse_positive(const std::string& word, double& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size() && value > 0;
}

/// Lines of "name,prefill,decode", in tokens per second, behind one that names the columns.
Result<Speeds> read_published(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error{ErrorCode::io, fmt::format("{}: cannot be opened", path)};
  Speeds speeds;
  int n_lines = 0;
  for (std::string line; std::getline(file, line);) {
    if (++n_lines == 1 || line.empty()) continue;
    const std::size_t first = line.find(','), last = line.rfind(',');
    Speed speed;
    if (first == last || !parse_positive(line.substr(first + 1, last - first - 1), speed.prefill) ||
        !parse_positive(line.substr(last + 1), speed.decode))
      return Error{
          ErrorCode::invalid_argument,
          fmt::format("{}, line {}: expected name,prefill,decode in tokens per second, found '{}'", path, n_lines, line)};
    speeds[line.substr(0, first)] = speed;
  }
  return speeds;
}

/// All rounds of a model, and their medians.
struct Shape {
  std::string name;
  std::vector<double> prefills, decodes;
  double prefill() const { return median(prefills); }
  double decode() const { return median(decodes); }
};

double spread(const std::vector<double>& values) {
  return (*std::ranges::max_element(values) - *std::ranges::min_element(values)) / median(values);
}

Result<std::vector<Shape>> measure(const Options& options, Progress& progress) {
  std::vector<Shape> shapes;
  for (const Source& source : options.sources) shapes.push_back({source.name, {}, {}});
  Runs runs(options, progress, static_cast<int>(shapes.size()) * options.repeat);
  std::vector<std::size_t> order(shapes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::mt19937_64 random(options.seed);
  for (int round = 0; round < options.repeat; ++round) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    for (const std::size_t i : order) {
      const auto answer = runs.measure({{"--preset", shapes[i].name},
                                        options.types[0],
                                        options.prompts,
                                        options.generates[0],
                                        0,
                                        1,
                                        options.seed + static_cast<std::uint64_t>(round)});
      if (!answer) return answer.error();
      if (answer->runs.empty()) return Error{ErrorCode::io, answer->problem};
      const nlohmann::json& phases = answer->runs[0]["phases"];
      shapes[i].prefills.push_back(phases["prefill"]["tokens_per_second"].get<double>());
      shapes[i].decodes.push_back(phases["decode"]["tokens_per_second"].get<double>());
    }
  }
  return shapes;
}

void add_correlations(Study& study, const std::vector<Shape>& shapes, const Speeds& published) {
  std::vector<double> prefill, decode, published_prefill, published_decode;
  for (const Shape& shape : shapes) {
    const auto found = published.find(shape.name);
    if (found == published.end()) continue;
    prefill.push_back(shape.prefill());
    decode.push_back(shape.decode());
    published_prefill.push_back(found->second.prefill);
    published_decode.push_back(found->second.decode);
  }
  if (prefill.size() < 3) return;
  const auto add = [&](const char* phase, const std::vector<double>& here, const std::vector<double>& there) {
    const double ranks = spearman(here, there);
    add_finding(study, fmt::format("The published {} of {} shapes.", phase, here.size()),
                fmt::format("Spearman {:.3f}, Pearson {:.3f}", ranks, pearson(here, there)), ranks > 0.8);
  };
  add("prefill", prefill, published_prefill);
  add("decode", decode, published_decode);
}

Study bars(const char* title, const std::vector<Shape>& shapes, double (Shape::*speed)() const) {
  Study names = Study::array(), values = Study::array();
  for (const Shape& shape : shapes) {
    names.push_back(shape.name);
    values.push_back(rounded((shape.*speed)(), 1));
  }
  return {{"kind", "bar"},
          {"title", title},
          {"y", "tokens/s"},
          {"categories", std::move(names)},
          {"series", Study::array({{{"name", "tokens/s"}, {"values", std::move(values)}}})}};
}

} // namespace

Result<Study> study_ablation(const Options& options, Progress& progress) {
  Speeds published;
  if (!options.published.empty()) {
    auto speeds = read_published(options.published);
    if (!speeds) return speeds.error();
    published = *std::move(speeds);
  }
  const auto measured = measure(options, progress);
  if (!measured) return measured.error();
  const std::vector<Shape>& shapes = *measured;
  Study study = new_study(
      "Ablation: shapes of one size", options,
      {fmt::format("{} shapes of nearly the same number of parameters, {}, prompt {}, {} tokens generated, in "
                   "random order, {} times; medians, and from least to most in percent of them.",
                   shapes.size(), mote::mix_name(options.types[0]), options.prompts[0], options.generates[0], options.repeat)});
  const auto [slow, fast] = std::ranges::minmax_element(shapes, {}, &Shape::decode);
  const auto [slow_prefill, fast_prefill] = std::ranges::minmax_element(shapes, {}, &Shape::prefill);
  const double ratio = fast->decode() / slow->decode();
  add_finding(study, "In decode the fastest shape is 5.19 times as fast as the slowest.",
              fmt::format("{:.2f} times: {} {:.0f}, {} {:.0f} tokens/s (in prefill {:.2f} times)", ratio, fast->name,
                          fast->decode(), slow->name, slow->decode(), fast_prefill->prefill() / slow_prefill->prefill()),
              ratio > 0.8 * 5.19 && ratio < 5.19 / 0.8);
  add_correlations(study, shapes, published);
  add_chart(study, bars("Prefill", shapes, &Shape::prefill));
  add_chart(study, bars("Decode", shapes, &Shape::decode));
  std::vector<Study> rows;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const mote::ModelSpec& spec = *options.sources[i].spec;
    const mote::LayerSpec& layer = spec.layers[0];
    const mote::AttentionSpec* a = layer.attention();
    rows.push_back({shapes[i].name, spec.layers.size(), spec.d_model, layer.ffn ? Study(layer.ffn->d_ff) : Study(),
                    a != nullptr ? Study(a->n_heads) : Study(), a != nullptr ? Study(a->n_kv_heads) : Study(),
                    rounded(static_cast<double>(mote::parameter_count(spec)) / 1e6, 1), rounded(shapes[i].prefill(), 1),
                    rounded(100 * spread(shapes[i].prefills), 1), rounded(shapes[i].decode(), 1),
                    rounded(100 * spread(shapes[i].decodes), 1)});
  }
  add_table(study, "Shapes",
            {"shape", "layers", "d_model", "d_ff", "heads", "kv heads", "parameters [10^6]", "prefill [tokens/s]", "spread [%]",
             "decode [tokens/s]", "spread [%]"},
            std::move(rows));
  return study;
}

} // namespace bench

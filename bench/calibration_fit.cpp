#include "bench/calibration_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "bench/least_squares.h"
#include "bench/statistics.h"

namespace bench {
namespace {

using mote::Calibration;
using mote::MissShare;
using mote::Operation;
using mote::ProductWork;
using Terms = std::vector<std::pair<std::size_t, double>>;

/// What the calibration's curve has between its points, as predictions read it.
double miss_share(const std::vector<MissShare>& misses, double bytes) {
  if (bytes <= misses.front().bytes) return misses.front().share;
  for (std::size_t i = 1; i < misses.size(); ++i)
    if (bytes <= misses[i].bytes) {
      const double place = std::log(bytes / misses[i - 1].bytes) / std::log(misses[i].bytes / misses[i - 1].bytes);
      return misses[i - 1].share + place * (misses[i].share - misses[i - 1].share);
    }
  return misses.back().share;
}

/// The long steps make up most of the time of a model, the short ones most of its steps.
double weight_of(double ns) { return 1 / std::max(ns, 100.0); }

/// The costs of products in passes of one number of tokens: a step's own, and those of each type.
void fit_products(const std::vector<StepSample>& steps, const std::vector<MissShare>& misses, mote::PassCost& pass) {
  std::set<mote::TensorType> types;
  for (const StepSample& sample : steps)
    for (const ProductWork& product : sample.work.products) types.insert(product.type);
  enum : std::size_t { kStep, kMemoryStep, kMemoryByte, kRow, kActivation };
  constexpr std::size_t kTypes = kActivation + std::tuple_size_v<decltype(pass.activation_ns)>;
  LeastSquares fit(kTypes + 2 * types.size());
  for (const StepSample& sample : steps) {
    if (sample.work.operation != Operation::mul_mat || sample.n_tokens != pass.n_tokens) continue;
    const double miss = miss_share(misses, sample.weight_bytes);
    Terms terms{{kStep, 1.0}, {kMemoryStep, miss}, {kMemoryByte, miss * sample.slowness * weight_bytes({sample.work})}};
    if (sample.work.activation)
      terms.emplace_back(kActivation + static_cast<std::size_t>(*sample.work.activation), sample.work.width);
    for (const ProductWork& p : sample.work.products) {
      const std::size_t at = kTypes + 2 * static_cast<std::size_t>(std::distance(types.begin(), types.find(p.type)));
      const double rows = static_cast<double>(p.n_rows) * p.n_parts;
      if (sample.work.layer >= 0) terms.emplace_back(kRow, rows);
      terms.emplace_back(at, rows);
      terms.emplace_back(at + 1, rows * p.n_cols);
    }
    fit.add(terms, sample.ns, weight_of(sample.ns));
  }
  const std::vector<double> costs = fit.solve();
  pass.step_ns = costs[kStep];
  pass.memory_step_ns = costs[kMemoryStep];
  pass.memory_byte_ns = costs[kMemoryByte];
  pass.row_ns = costs[kRow];
  std::copy_n(costs.begin() + kActivation, pass.activation_ns.size(), pass.activation_ns.begin());
  auto cost = costs.begin() + kTypes;
  for (const mote::TensorType type : types) {
    pass.products.push_back({type, cost[0], cost[1]});
    cost += 2;
  }
}

/// The cost of a unit of work of the steps of one operation, apart from what every step costs that threads share.
template <class Units>
double fit_unit(const std::vector<StepSample>& steps, Operation operation, const mote::PassCost& pass, Units units) {
  LeastSquares fit(1);
  for (const StepSample& sample : steps) {
    if (sample.work.operation != operation || sample.n_tokens != pass.n_tokens) continue;
    const double own_ns = sample.work.unshared && sample.n_tokens == 1 ? 0 : pass.step_ns;
    fit.add({{0, units(sample.work)}}, std::max(0.0, sample.ns - own_ns), weight_of(sample.ns));
  }
  return fit.solve()[0];
}

void fit_pass(const std::vector<StepSample>& steps, const std::vector<MissShare>& misses, mote::PassCost& pass) {
  fit_products(steps, misses, pass);
  const auto width = [](const mote::StepWork& work) { return static_cast<double>(work.width); };
  pass.norm_ns = fit_unit(steps, Operation::norm, pass, width);
  pass.embed_ns = fit_unit(steps, Operation::embed, pass, width);
  pass.recurrence_ns = fit_unit(steps, Operation::recurrence, pass, [](const mote::StepWork& work) {
    return work.products.empty() ? static_cast<double>(work.ops_per_token) : 0.0;
  });
  LeastSquares waits(2);
  for (const StepSample& sample : steps)
    if (!sample.work.products.empty() && sample.n_tokens == pass.n_tokens)
      waits.add({{0, 1.0}, {1, sample.ns}}, sample.wait_ns, weight_of(sample.ns));
  pass.wait_ns = waits.solve()[0];
  pass.wait_share = waits.solve()[1];
}

/// Of the steps with several tokens, or of those with one.
mote::AttentionCost fit_attention(const std::vector<StepSample>& steps, const std::vector<MissShare>& misses, bool several) {
  LeastSquares fit(8);
  for (const StepSample& sample : steps) {
    const mote::StepWork& work = sample.work;
    if (work.operation != Operation::attention || work.n_heads == 0 || (sample.n_tokens > 1) != several) continue;
    const double n = sample.n_tokens, heads = work.n_heads, kv_heads = work.n_kv_heads, lanes = (work.width + 15) / 16 * 16;
    const double positions = n * sample.first_pos + n * (n + 1) / 2, miss = miss_share(misses, sample.weight_bytes);
    fit.add({{0, 1.0},
             {1, n * heads},
             {2, n * heads * lanes},
             {3, positions * heads},
             {4, positions * heads * lanes},
             {5, positions * kv_heads * lanes},
             {6, miss * kv_heads},
             {7, miss * sample.slowness * positions / n * kv_heads * work.width * 2 * sizeof(std::uint16_t)}},
            sample.ns, weight_of(sample.ns));
  }
  const std::vector<double> c = fit.solve();
  return {c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]};
}

double fit_latent_keys(const std::vector<StepSample>& steps) {
  LeastSquares fit(1);
  for (const StepSample& sample : steps)
    if (sample.work.operation == Operation::attention && sample.work.n_heads == 0)
      fit.add({{0, static_cast<double>(sample.first_pos + sample.n_tokens) * sample.work.width}}, sample.ns,
              weight_of(sample.ns));
  return fit.solve()[0];
}

} // namespace

std::vector<MissShare> fit_misses(const std::vector<StepSample>& steps) {
  struct Sum {
    double ns = 0, bytes = 0;
  };
  std::map<double, Sum> models; // by the bytes that a token reads
  for (const StepSample& sample : steps) {
    if (sample.work.operation != Operation::mul_mat || sample.n_tokens != 1) continue;
    Sum& sum = models[sample.weight_bytes];
    sum.ns += sample.ns;
    sum.bytes += weight_bytes({sample.work});
  }
  std::vector<MissShare> misses;
  if (models.empty()) return misses;
  const auto byte_ns = [](const auto& model) { return model.second.ns / model.second.bytes; };
  const double cached = byte_ns(*models.begin()), from_memory = std::max(byte_ns(*models.rbegin()), cached * 1.01);
  double share = 0;
  for (const auto& model : models) {
    share = std::clamp((byte_ns(model) - cached) / (from_memory - cached), share, 1.0); // never less than in a smaller model
    misses.push_back({model.first, share});
  }
  return misses;
}

void fit_costs(const Samples& samples, Calibration& calibration) {
  std::set<int> n_tokens;
  for (const StepSample& sample : samples.steps) n_tokens.insert(sample.n_tokens);
  for (const int n : n_tokens) {
    calibration.passes.push_back({});
    calibration.passes.back().n_tokens = n;
    fit_pass(samples.steps, calibration.misses, calibration.passes.back());
  }
  calibration.one_token = fit_attention(samples.steps, calibration.misses, false);
  calibration.several_tokens = fit_attention(samples.steps, calibration.misses, true);
  calibration.latent_key_ns = fit_latent_keys(samples.steps);

  std::vector<double> calls;
  LeastSquares choices(2);
  for (const PassSample& pass : samples.passes) {
    if (pass.n_tokens == 1) calls.push_back(pass.wall_ns - pass.steps_ns);
    choices.add({{0, 1.0}, {1, static_cast<double>(pass.n_vocab)}}, pass.sample_ns, weight_of(pass.sample_ns));
  }
  calibration.call_ns = std::max(0.0, median(calls)) + choices.solve()[0];
  calibration.logit_ns = choices.solve()[1];
}

} // namespace bench

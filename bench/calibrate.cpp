#include "bench/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "bench/bandwidth.h"
#include "bench/calibration_fit.h"
#include "bench/statistics.h"

namespace bench {
namespace {

using mote::Mix;
using mote::Result;
using mote::Status;

const std::vector<int> kPrompts{1, 2, 4, 8, 16, 32, 64, 128, 256};

/// The bytes of the weights of a layer without biases, by the size of the mix's most frequent type.
double layer_bytes(int d_model, int d_ff, int kv_share, double bits) {
  return (2.0 * d_model * d_model * (1 + 1.0 / kv_share) + 3.0 * d_model * d_ff) * bits / 8;
}

std::string llama(int n_layers, int d_model, int d_ff, int n_heads, int kv_share, int n_vocab, int n_ctx) {
  return fmt::format("layers={},d_model={},d_ff={},heads={},kv_heads={},vocab={},ctx={}", n_layers, d_model, d_ff, n_heads,
                     n_heads / kv_share, n_vocab, n_ctx);
}

/// One mix gives most matrices of a model one type. Rows of no multiple of 256 get another one.
struct Format {
  Mix mix;
  bool narrow_blocks; ///< rows are a multiple of 32 only
  double bits;        ///< of a weight
};
constexpr Format kFormats[] = {{Mix::F32, false, 32},     {Mix::F16, false, 16},     {Mix::Q8_0, false, 8.5},
                               {Mix::Q6_K, false, 6.6},   {Mix::Q5_K_M, false, 5.7}, {Mix::Q4_K_M, false, 4.9},
                               {Mix::Q3_K_M, false, 3.9}, {Mix::Q4_0, false, 4.5},   {Mix::Q4_K_M, true, 5.8},
                               {Mix::Q5_K_M, true, 6.5}};

/// Models of narrow and of wider rows, in the caches and in memory.
void add_models_of(const Format& format, std::vector<SampleModel>& models) {
  constexpr double kCachedBytes = 4e6, kMemoryBytes = 110e6;
  const int more = format.narrow_blocks ? 32 : 0;
  const auto add = [&](double bytes, int d_model, int d_ff, int n_heads, int kv_share, int n_vocab, int n_runs) {
    const double of_layer = layer_bytes(d_model + more, d_ff + more, kv_share, format.bits);
    const int n_layers = std::max(1, static_cast<int>(bytes / of_layer));
    models.push_back(
        {llama(n_layers, d_model + more, d_ff + more, n_heads, kv_share, n_vocab, 256), format.mix, kPrompts, {}, n_runs});
  };
  add(kCachedBytes, 256, 768, 4, 1, 512, 9);
  if (format.bits < 16) add(kCachedBytes, 768, 1536, 8, 2, 512, 9);
  else add(kCachedBytes, 512, 512, 4, 2, 256, 9);
  add(kMemoryBytes, 512, 1280, 8, 1, 16384, 5);
  add(kMemoryBytes, 1792, 4608, 16, 4, 8192, 5);
}

/// Of growing size, from what the caches hold to many times that.
std::vector<SampleModel> models_of_sizes() {
  std::vector<SampleModel> models;
  for (const double megabytes : {4, 8, 16, 24, 32, 48, 64, 96, 144, 216, 324}) {
    constexpr int kWidth = 768, kInner = 2048;
    const int n_layers = static_cast<int>(megabytes * 1e6 / layer_bytes(kWidth, kInner, 1, 4.5) + 0.5);
    models.push_back({llama(n_layers, kWidth, kInner, 12, 1, 256, 64), Mix::Q4_K_S, {1}, {}, 5});
  }
  return models;
}

/// Heads of several sizes and groups at several depths, activations, recurrences, latents.
void add_other_models(std::vector<SampleModel>& models) {
  const std::vector<int> prompts{1, 16, 64, 256}, positions{16, 64, 128, 250, 400, 800, 1200};
  for (const auto& [d_model, n_heads, kv_share] :
       {std::array{224, 8, 1}, {288, 8, 1}, {384, 8, 1}, {640, 8, 2}, {1024, 16, 4}, {1024, 8, 1}, {1024, 4, 4}})
    models.push_back({llama(2, d_model, 512, n_heads, kv_share, 256, 1280), Mix::Q4_K_M, prompts, positions, 7});
  models.push_back({llama(6, 1792, 4608, 28, 2, 8192, 1280), Mix::Q4_K_M, {1}, positions, 7});
  models.push_back({llama(14, 1792, 4608, 28, 2, 40960, 256), Mix::Q4_K_M, {1, 64}, {128}, 5});
  models.push_back({llama(54, 512, 1280, 16, 1, 256, 512), Mix::Q4_K_M, {1}, {16, 64, 128, 250, 400}, 7});
  for (const char* activation : {"gelu_tanh", "gelu_erf", "relu", "relu_squared"})
    for (const char* ffn : {"gated", "standard"})
      models.push_back({fmt::format("{},activation={},ffn={}", llama(2, 512, 1280, 8, 1, 256, 256), activation, ffn),
                        Mix::Q4_K_M,
                        kPrompts,
                        {},
                        5});
  for (const char* shape : {"family=mamba,layers=2,d_model=768,vocab=256,ctx=512",
                            "family=recurrentgemma,layers=3,d_model=1024,d_ff=1024,heads=4,kv_heads=1,rglru_blocks=4,vocab=256,"
                            "ctx=512,attention_layers=2",
                            "family=minicpm3,layers=2,d_model=1024,d_ff=1024,heads=8,head_dim=96,rope_dims=32,q_rank=256,kv_rank="
                            "256,v_dim=64,vocab=256,ctx=512"})
    models.push_back({shape, Mix::Q4_K_M, kPrompts, {}, 5});
}

/// What was measured while memory was read at about the same speed.
struct State {
  double read_bandwidth = 0;                   ///< at first
  std::vector<std::optional<Samples>> samples; ///< of each model
  std::vector<double> bandwidths;              ///< while they were taken
  std::size_t n_missing = 0;
};

class Calibrator {
 public:
  Calibrator(mote::Isa isa, int n_threads, Progress& progress) : isa_(isa), n_threads_(n_threads), progress_(progress) {
    models_ = models_of_sizes();
    n_sizes_ = models_.size();
    for (const Format& format : kFormats) add_models_of(format, models_);
    add_other_models(models_);
  }

  /// Round after round through the models, until a state has them all; where another has half of them by then, until it has, too.
  Result<std::vector<mote::Calibration>> calibrate() {
    constexpr int kMostRounds = 5;
    for (int round = 0; round < kMostRounds && !complete(); ++round)
      for (std::size_t i = 0; i < models_.size() && !complete(); ++i)
        if (Status s = sample(i); !s) return s.error();
    if (std::ranges::none_of(states_, [](const State& state) { return state.n_missing == 0; }))
      if (Status s = fill_gaps(); !s) return s.error();
    progress_.clear();
    std::vector<mote::Calibration> calibrations;
    for (const State& state : states_)
      if (state.n_missing == 0) calibrations.push_back(calibration_of(state));
    return calibrations;
  }

 private:
  bool complete() const {
    bool any = false, half = false;
    for (const State& state : states_) {
      any |= state.n_missing == 0;
      half |= state.n_missing > 0 && 2 * state.n_missing <= models_.size();
    }
    return any && !half;
  }

  State& state_of(double read_bandwidth) {
    for (State& state : states_)
      if (same_state(state.read_bandwidth, read_bandwidth)) return state;
    states_.push_back({read_bandwidth, std::vector<std::optional<Samples>>(models_.size()), std::vector<double>(models_.size()),
                       models_.size()});
    return states_.back();
  }

  /// The model's steps in the present state, unless they are known. They do not count if the state changes meanwhile.
  Status sample(std::size_t i) {
    const Result<double> before = measure_read_bandwidth(n_threads_);
    if (!before) return before.error();
    State& state = state_of(*before);
    if (state.samples[i]) return {};
    progress_.show(fmt::format("calibrating {}, {} threads, memory read at {:.0f} GB/s: {} of {} models to go",
                               mote::isa_name(isa_), n_threads_, *before / 1e9, state.n_missing, models_.size()));
    Samples samples;
    if (Status s = take_samples(models_[i], isa_, n_threads_, samples); !s) return s;
    const Result<double> after = measure_read_bandwidth(n_threads_);
    if (!after) return after.error();
    if (!same_state(*before, *after)) return {};
    state.bandwidths[i] = (*before + *after) / 2;
    state.samples[i] = std::move(samples);
    --state.n_missing;
    return {};
  }

  /// Where memory never stays the same for long: the state with the most samples gets what it lacks from the others, whichever is
  /// nearest, or as it is now.
  Status fill_gaps() {
    progress_.clear();
    fmt::print(stderr, "bench_breakdown: the speed of memory changes all the time here: predictions will be less exact\n");
    State& state = *std::ranges::min_element(states_, {}, &State::n_missing);
    for (std::size_t i = 0; i < models_.size(); ++i) {
      if (state.samples[i]) continue;
      const State* nearest = nullptr;
      const auto distance = [&](const State& other) { return std::abs(std::log(other.read_bandwidth / state.read_bandwidth)); };
      for (const State& other : states_)
        if (other.samples[i] && (nearest == nullptr || distance(other) < distance(*nearest))) nearest = &other;
      if (nearest != nullptr) {
        state.samples[i] = nearest->samples[i];
        state.bandwidths[i] = nearest->bandwidths[i];
        continue;
      }
      const Result<double> bandwidth = measure_read_bandwidth(n_threads_);
      if (!bandwidth) return bandwidth.error();
      state.bandwidths[i] = *bandwidth;
      if (Status s = take_samples(models_[i], isa_, n_threads_, state.samples[i].emplace()); !s) return s;
    }
    state.n_missing = 0;
    return {};
  }

  mote::Calibration calibration_of(const State& state) const {
    const double read_bandwidth = median(state.bandwidths);
    Samples of_sizes, others;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      Samples& to = i < n_sizes_ ? of_sizes : others;
      for (StepSample step : state.samples[i]->steps) {
        step.slowness = read_bandwidth / state.bandwidths[i];
        to.steps.push_back(std::move(step));
      }
      to.passes.insert(to.passes.end(), state.samples[i]->passes.begin(), state.samples[i]->passes.end());
    }
    mote::Calibration calibration;
    calibration.isa = isa_;
    calibration.n_threads = n_threads_;
    calibration.read_bandwidth = read_bandwidth;
    calibration.misses = fit_misses(of_sizes.steps);
    fit_costs(others, calibration);
    return calibration;
  }

  mote::Isa isa_;
  int n_threads_;
  Progress& progress_;
  std::vector<SampleModel> models_; ///< those of growing size first
  std::size_t n_sizes_ = 0;
  std::vector<State> states_;
};

} // namespace

bool same_state(double a, double b) {
  constexpr double kShare = 0.25;
  return std::max(a, b) <= (1 + kShare) * std::min(a, b);
}

Result<std::vector<mote::Calibration>> calibrate(mote::Isa isa, int n_threads, Progress& progress) {
  return Calibrator(isa, n_threads, progress).calibrate();
}

} // namespace bench

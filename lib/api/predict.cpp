#include "mote/predict.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "lib/api/guard.h"
#include "lib/api/session_options.h"

namespace mote {

namespace {

Error invalid(std::string message) { return {ErrorCode::invalid_argument, std::move(message)}; }

/// The place of a number among ascending ones: between at - 1 and at, `share` of the way. May lie behind the last.
struct Place {
  std::size_t at;
  double share;
  double between(double low, double high) const { return low + share * (high - low); }
};
template <class T, class Of> Place place_of(double x, const std::vector<T>& nodes, Of of) {
  if (nodes.size() < 2) return {0, 1};
  const auto above = std::find_if(nodes.begin() + 1, nodes.end() - 1, [&](const T& node) { return x <= of(node); });
  const double low = of(*(above - 1)), high = of(*above);
  return {static_cast<std::size_t>(above - nodes.begin()), (x - low) / (high - low)};
}

/// Bytes of one of the matrices.
double matrix_bytes(const ProductWork& product) {
  return static_cast<double>(product.n_rows) *
         static_cast<double>(row_bytes(product.type, static_cast<std::size_t>(product.n_cols)));
}

/// Of all that a token uses.
double bytes_of(const StepWork& step) {
  double bytes = 0;
  for (const ProductWork& p : step.products) bytes += matrix_bytes(p) * (p.n_used ? p.n_used : p.n_parts);
  return bytes;
}

/// A pass of the prompt, or a single token.
struct PassShape {
  int n_tokens, first_pos;
  bool has_output; ///< the last token's logits are wanted
  /// What the tokens attend to, all together.
  double n_positions(int window) const {
    double n = 0;
    for (int i = 0; i < n_tokens; ++i) n += window == 0 ? first_pos + i + 1 : std::min(first_pos + i + 1, window);
    return n;
  }
};

class Predictor {
 public:
  Predictor(const ModelSpec& spec, const std::vector<StepWork>& steps, const Calibration& calibration, double read_bandwidth)
      : spec_(spec),
        steps_(steps),
        c_(calibration),
        slowness_(read_bandwidth > 0 && c_.read_bandwidth > 0 ? c_.read_bandwidth / read_bandwidth : 1) {
    find_distances();
  }

  /// A type that the calibration does not know.
  const ProductWork* unknown() const {
    for (const StepWork& step : steps_)
      for (const ProductWork& product : step.products)
        for (const PassCost& pass : c_.passes)
          if (!find(pass, product.type)) return &product;
    return nullptr;
  }

  PredictedTime prompt(int n_prompt, int n_batch) const {
    PredictedTime time;
    for (int first = 0; first < n_prompt; first += n_batch)
      add_pass({std::min(n_batch, n_prompt - first), first, first + n_batch >= n_prompt}, time);
    add_call(time);
    return time;
  }

  PredictedTime token(int position) const {
    PredictedTime time;
    add_pass({1, position, true}, time);
    add_call(time);
    return time;
  }

 private:
  static const ProductCost* find(const PassCost& pass, TensorType type) {
    const auto found =
        std::find_if(pass.products.begin(), pass.products.end(), [&](const ProductCost& p) { return p.type == type; });
    return found == pass.products.end() ? nullptr : &*found;
  }

  /// The layer whose stored weights a step uses.
  int source_of(const StepWork& step) const {
    if (step.layer < 0) return step.layer;
    const LayerSpec& layer = spec_.layers[static_cast<std::size_t>(step.layer)];
    const int from = step.component == Component::ffn ? layer.ffn_from : layer.mixer_from;
    return from < 0 ? step.layer : from;
  }

  /// How much is read between two uses of a step's weights: all of the model, unless layers share them.
  void find_distances() {
    struct Use {
      double before; ///< bytes read in the pass before it
      std::size_t step;
    };
    std::map<std::tuple<int, Component, int>, std::vector<Use>> uses; // by source, and the number there
    std::map<std::pair<int, Component>, int> n_in_layer;
    double read = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i].products.empty()) continue;
      const int number = n_in_layer[{steps_[i].layer, steps_[i].component}]++;
      uses[{source_of(steps_[i]), steps_[i].component, number}].push_back({read, i});
      read += bytes_of(steps_[i]);
    }
    distances_.assign(steps_.size(), read);
    for (const auto& [key, of_weights] : uses)
      for (std::size_t i = 0; i < of_weights.size(); ++i) {
        const double next = i + 1 < of_weights.size() ? of_weights[i + 1].before : of_weights.front().before + read;
        distances_[of_weights[(i + 1) % of_weights.size()].step] = next - of_weights[i].before;
      }
    weight_bytes_ = read;
  }

  double miss_share(double bytes) const {
    if (c_.misses.empty()) return 1;
    const Place place = place_of(std::log(std::max(bytes, 1.0)), c_.misses, [](const MissShare& m) { return std::log(m.bytes); });
    const double low = c_.misses[place.at > 0 ? place.at - 1 : 0].share, high = c_.misses[place.at].share;
    return std::clamp(place.between(low, high), std::min(low, high), std::max(low, high));
  }

  /// A cost of PassCost between the calibrated numbers of tokens.
  template <class Get> double cost(double n_tokens, Get get) const {
    const Place place = place_of(n_tokens, c_.passes, [](const PassCost& pass) { return static_cast<double>(pass.n_tokens); });
    const PassCost& high = c_.passes[place.at];
    return std::max(0.0, place.at == 0 ? get(high) : place.between(get(c_.passes[place.at - 1]), get(high)));
  }

  double product_ns(const ProductWork& product, double n_tokens, double miss) const {
    double n_matrices = product.n_parts;
    if (product.n_used != 0) { // the experts that some of the tokens choose, each with its share of them
      const double n = product.n_parts;
      n_matrices = n * (1 - std::pow(1 - product.n_used / n, n_tokens));
      n_tokens = n_tokens * product.n_used / n_matrices;
    }
    const double n_rows = product.n_rows, n_weights = n_rows * product.n_cols;
    const double bytes = matrix_bytes(product) * miss * slowness_;
    return n_matrices * cost(n_tokens, [&](const PassCost& pass) {
             const ProductCost& of_type = *find(pass, product.type);
             return n_rows * of_type.row_ns + n_weights * of_type.weight_ns + bytes * pass.memory_byte_ns;
           });
  }

  double attention_ns(const StepWork& step, const PassShape& pass) const {
    const double n_positions = pass.n_positions(step.window), d = step.width;
    if (step.n_heads == 0) return (pass.first_pos + pass.n_tokens) * d * c_.latent_key_ns;
    const AttentionCost& a = pass.n_tokens == 1 ? c_.one_token : c_.several_tokens;
    const double miss = miss_share(weight_bytes_), heads = step.n_heads, kv_heads = step.n_kv_heads;
    const double lanes = (step.width + 15) / 16 * 16;    // floats of a head, as they are computed
    constexpr double kBytes = 2 * sizeof(std::uint16_t); // of k and v
    const double read = n_positions / pass.n_tokens * kv_heads * d * kBytes * slowness_;
    return a.step_ns + pass.n_tokens * heads * (a.head_ns + lanes * a.head_float_ns) +
           n_positions * (heads * (a.position_ns + lanes * a.position_float_ns) + kv_heads * lanes * a.key_float_ns) +
           miss * (kv_heads * a.memory_head_ns + read * a.memory_byte_ns);
  }

  double step_ns(std::size_t i, const PassShape& pass, int n_tokens) const {
    const StepWork& step = steps_[i];
    if (step.operation == Operation::attention) return attention_ns(step, pass);
    const double miss = step.products.empty() ? 0 : miss_share(distances_[i]);
    double product_ops = 0, ns = 0;
    if (!step.unshared || n_tokens > 1)
      ns = cost(n_tokens, [&](const PassCost& p) { return p.step_ns + miss * p.memory_step_ns; });
    double rows_used = 0;
    for (const ProductWork& product : step.products) {
      ns += product_ns(product, n_tokens, miss);
      rows_used += static_cast<double>(product.n_rows) * (product.n_used ? product.n_used : product.n_parts);
      product_ops += 2.0 * product.n_rows * product.n_cols * product.n_parts;
    }
    if (step.layer >= 0 && rows_used > 0) ns += rows_used * cost(n_tokens, [](const PassCost& p) { return p.row_ns; });
    if (step.activation)
      ns += step.width *
            cost(n_tokens, [&](const PassCost& p) { return p.activation_ns[static_cast<std::size_t>(*step.activation)]; });
    switch (step.operation) {
      case Operation::norm: return ns + step.width * cost(n_tokens, [](const PassCost& p) { return p.norm_ns; });
      case Operation::embed: return ns + step.width * cost(n_tokens, [](const PassCost& p) { return p.embed_ns; });
      case Operation::recurrence:
        return ns + (static_cast<double>(step.ops_per_token) - product_ops) *
                        cost(n_tokens, [](const PassCost& p) { return p.recurrence_ns; });
      case Operation::mul_mat:
      case Operation::attention: break;
    }
    return ns;
  }

  void add_pass(const PassShape& pass, PredictedTime& time) const {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const StepWork& step = steps_[i];
      if (step.outputs_only && !pass.has_output) continue;
      const int n_tokens = step.outputs_only ? 1 : pass.n_tokens;
      const double ns = step_ns(i, pass, n_tokens);
      time.component_ns[static_cast<std::size_t>(step.component)] += ns;
      time.total_ns += ns;
      if (step.unshared && n_tokens == 1) continue;
      time.wait_ns += std::min(ns, cost(n_tokens, [&](const PassCost& p) { return p.wait_ns + p.wait_share * ns; }));
    }
  }

  void add_call(PredictedTime& time) const {
    const double ns = c_.call_ns + spec_.n_vocab * c_.logit_ns;
    time.component_ns[static_cast<std::size_t>(Component::other)] += ns;
    time.total_ns += ns;
  }

  const ModelSpec& spec_;
  const std::vector<StepWork>& steps_;
  const Calibration& c_;
  double slowness_;               ///< of memory, today, beside the calibration
  std::vector<double> distances_; ///< [steps]: bytes read between two uses of a step's weights
  double weight_bytes_ = 0;       ///< read by a token
};

} // namespace

Result<Prediction> predict(const ModelSpec& spec, Mix types, const Calibration& calibration, const PredictOptions& options) {
  return api::guard([&]() -> Result<Prediction> {
    if (calibration.passes.empty()) return invalid("the calibration has no passes");
    const auto steps = work_of(spec, types); // it validates the spec
    if (!steps) return steps.error();
    const SessionOptions session{.n_ctx = spec.n_ctx, .n_batch = options.n_batch};
    if (const auto resolved = api::resolve(session, spec.n_ctx); !resolved) return resolved.error();
    const auto outside = [&](const char* what, int n, int least, int most) {
      return invalid(std::string(what) + " is " + std::to_string(n) + ", expected " + std::to_string(least) + ".." +
                     std::to_string(most) + ": the model has " + std::to_string(spec.n_ctx) + " positions");
    };
    if (options.n_prompt < 1 || options.n_prompt > spec.n_ctx) return outside("n_prompt", options.n_prompt, 1, spec.n_ctx);
    for (const int position : options.positions)
      if (position < 0 || position >= spec.n_ctx) return outside("a position", position, 0, spec.n_ctx - 1);
    const Predictor predictor(spec, *steps, calibration, options.read_bandwidth);
    if (const ProductWork* unknown = predictor.unknown())
      return Error{ErrorCode::unsupported,
                   "the calibration has no products of type " + std::string(type_info(unknown->type).name)};
    Prediction prediction;
    prediction.first_token = predictor.prompt(options.n_prompt, options.n_batch);
    for (const int position : options.positions) prediction.tokens.push_back(predictor.token(position));
    return prediction;
  });
}

} // namespace mote

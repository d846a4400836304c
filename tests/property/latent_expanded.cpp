// Attention over latents, as the decoder computes it (what makes k and v is absorbed into queries and sums), against its
// definition (k and v are made of each latent), within a bound that is derived along the way: every number carries how far the
// decoder's float may be from it (running error analysis; Higham, Accuracy and Stability of Numerical Algorithms, 3.3).
#include <algorithm>
#include <cmath>

#include "tests/property/models.h"
#include "tests/temp_dir.h"
#include "tests/unit/spec_file.h"

using namespace mote;
using namespace mote::test;

namespace {

constexpr double kUnit = 0x1p-24; // relative error of a float operation
constexpr double kOfFunction = 8; // units that exp and 1/sqrt may be wrong by

/// A number, and a bound of the difference to what floats give.
struct Near {
  double value = 0, error = 0;
  double most() const { return std::abs(value) + error; }
};
using Vector = std::vector<Near>;

Near rounded(double value, double error, double units = 1) { return {value, error + units * kUnit * (std::abs(value) + error)}; }
Near operator*(Near a, Near b) { return rounded(a.value * b.value, a.most() * b.error + std::abs(b.value) * a.error); }
Near operator+(Near a, Near b) { return rounded(a.value + b.value, a.error + b.error); }

/// n products summed in any order, rounded n + 2 times at most.
Near dot(const Near* a, const Near* b, std::size_t n, std::size_t stride = 1) {
  double value = 0, error = 0, most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Near &x = a[i], &y = b[i * stride];
    value += x.value * y.value;
    error += x.most() * y.error + std::abs(y.value) * x.error;
    most += x.most() * y.most();
  }
  const double units = static_cast<double>(n + 2) * kUnit;
  return {value, error + units / (1 - units) * most};
}

/// A model of one layer, whose FFN adds zeros.
class Reference {
 public:
  Reference(const SpecFile& file, const ModelSpec& spec, bool absorbed)
      : file_(file), spec_(spec), layer_(spec.layers[0]), a_(*layer_.attention()), absorbed_(absorbed) {}

  std::vector<Vector> logits(const std::vector<std::int32_t>& tokens) {
    const Vector table = tensor("token_embd.weight");
    const auto d_model = size(spec_.d_model);
    std::vector<Vector> streams, logits;
    for (const std::int32_t token : tokens) {
      Vector x(table.begin() + static_cast<std::ptrdiff_t>(size(token) * d_model),
               table.begin() + static_cast<std::ptrdiff_t>((size(token) + 1) * d_model));
      for (Near& v : x) v = v * Near{spec_.embedding.scale};
      streams.push_back(std::move(x));
    }
    attend(streams);
    for (Vector& x : streams) {
      Vector out = product("token_embd", norm(x, "output_norm", spec_.head.norm->eps));
      for (Near& v : out) v = v * Near{spec_.head.scale};
      logits.push_back(std::move(out));
    }
    return logits;
  }

 private:
  static std::size_t size(int n) { return static_cast<std::size_t>(n); }

  Vector tensor(const std::string& name) const {
    Vector values;
    for (const weights::TensorDesc& t : file_.tensors)
      for (std::size_t i = 0; i < t.values.size() && t.name == name; ++i) values.push_back({t.values[i]});
    REQUIRE_FALSE(values.empty());
    return values;
  }

  Vector product(const std::string& name, const Vector& x) const {
    const Vector w = tensor(name + ".weight");
    Vector y;
    for (std::size_t row = 0; row < w.size() / x.size(); ++row) y.push_back(dot(&w[row * x.size()], x.data(), x.size()));
    return y;
  }

  Vector norm(const Vector& x, const std::string& name, float eps) const {
    const Vector w = tensor(name + ".weight");
    const Near sum = dot(x.data(), x.data(), x.size());
    const double n = static_cast<double>(x.size()), mean = sum.value / n + eps;
    const double off = sum.error / n / mean;
    const Near scale = rounded(1 / std::sqrt(mean), (1 / std::sqrt(1 - off) - 1) / std::sqrt(mean), kOfFunction);
    Vector y;
    for (std::size_t i = 0; i < x.size(); ++i) y.push_back(x[i] * scale * w[i]);
    return y;
  }

  void add(Vector& x, const Vector& y) const {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = x[i] + y[i] * Near{layer_.residual_scale};
  }

  /// The last dimensions of a head, or the key that all heads share.
  void rotate(Near* x, int pos) const {
    const RopeSpec& rope = *a_.rope;
    const std::size_t half = size(rope.dims / 2);
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = pos * std::pow(rope.base, -2.0 * static_cast<double>(i) / rope.dims);
      const double off = 4 * kUnit * angle + kUnit; // of the frequency, its product with the position, and the function
      const Near c{std::cos(angle), off}, s{std::sin(angle), off}, minus_s{-s.value, off};
      Near &x0 = x[i], &x1 = x[i + half];
      const Near turned = x0 * c + x1 * minus_s;
      x1 = x0 * s + x1 * c;
      x0 = turned;
    }
  }

  void attend(std::vector<Vector>& streams) const {
    const LatentSpec& latent = *a_.latent;
    const std::size_t d = size(a_.head_dim), rotated = size(a_.rope->dims), rank = size(latent.kv_rank);
    std::vector<Vector> queries, latents, shared_keys;
    for (std::size_t pos = 0; pos < streams.size(); ++pos) {
      const Vector x = norm(streams[pos], "blk.0.attn_norm", layer_.norm.eps);
      queries.push_back(product("blk.0.attn_q_b", norm(product("blk.0.attn_q_a", x), "blk.0.attn_q_a_norm", latent.norm.eps)));
      for (int head = 0; head < a_.n_heads; ++head)
        rotate(&queries.back()[(size(head) + 1) * d - rotated], static_cast<int>(pos));
      Vector kv = product("blk.0.attn_kv_a_mqa", x);
      rotate(&kv[rank], static_cast<int>(pos));
      shared_keys.emplace_back(kv.begin() + static_cast<std::ptrdiff_t>(rank), kv.end());
      kv.resize(rank);
      latents.push_back(norm(kv, "blk.0.attn_kv_a_norm", latent.norm.eps));
    }
    const Vector k_b = tensor("blk.0.attn_k_b.weight"), v_b = tensor("blk.0.attn_v_b.weight");
    for (std::size_t pos = 0; pos < streams.size(); ++pos) {
      Vector out;
      for (std::size_t head = 0; head < size(a_.n_heads); ++head) {
        const Near* const k = &k_b[head * rank * (d - rotated)];
        const Near* const v = &v_b[head * size(latent.v_dim) * rank];
        const Vector weights = softmax(scores(&queries[pos][head * d], k, latents, shared_keys, pos + 1));
        append_values(out, weights, v, latents);
      }
      add(streams[pos], product("blk.0.attn_output", out));
    }
  }

  /// q.k of each of the first n positions. k_b: [kv_rank, head_dim - rope dims], of the head.
  Vector scores(const Near* q, const Near* k_b, const std::vector<Vector>& latents, const std::vector<Vector>& shared,
                std::size_t n) const {
    const std::size_t rank = latents[0].size(), rotated = shared[0].size(), own = size(a_.head_dim) - rotated;
    Vector query; // of the latent and the shared part
    for (std::size_t i = 0; i < rank; ++i) query.push_back(dot(&k_b[i * own], q, own));
    query.insert(query.end(), q + own, q + own + rotated);
    Vector scores;
    for (std::size_t pos = 0; pos < n; ++pos) {
      Vector key = absorbed_ ? latents[pos] : Vector();
      for (std::size_t i = 0; i < own && !absorbed_; ++i) key.push_back(dot(latents[pos].data(), &k_b[i], rank, own));
      key.insert(key.end(), shared[pos].begin(), shared[pos].end());
      scores.push_back(dot(absorbed_ ? query.data() : q, key.data(), key.size()) * Near{a_.scale});
    }
    return scores;
  }

  static Vector softmax(const Vector& scores) {
    double max = -1e300, min = 1e300, error = 0, sum = 0;
    for (const Near& s : scores) {
      max = std::max(max, s.value);
      min = std::min(min, s.value);
      error = std::max(error, s.error);
    }
    for (const Near& s : scores) sum += std::exp(s.value - max);
    // Scores that are off by `error` change a weight by exp(2 error) at most; differences to the maximum are rounded, sums too.
    const double units = 2 * (max - min + 2 * error) + static_cast<double>(scores.size()) + 4 * kOfFunction;
    const double off = std::expm1(2 * error + units * kUnit);
    Vector weights;
    for (const Near& s : scores) weights.push_back({std::exp(s.value - max) / sum, std::exp(s.value - max) / sum * off});
    return weights;
  }

  /// v_b: [v_dim, kv_rank], of the head.
  void append_values(Vector& out, const Vector& weights, const Near* v_b, const std::vector<Vector>& latents) const {
    const std::size_t rank = latents[0].size(), n = weights.size();
    std::vector<Vector> parts; // what is weighted: latents, or the values made of them
    for (std::size_t pos = 0; pos < n; ++pos) parts.push_back(absorbed_ ? latents[pos] : values(v_b, latents[pos]));
    Vector sums;
    for (std::size_t i = 0; i < parts[0].size(); ++i) {
      Vector column;
      for (const Vector& part : parts) column.push_back(part[i]);
      sums.push_back(dot(weights.data(), column.data(), n));
    }
    const Vector head = absorbed_ ? values(v_b, sums) : sums;
    REQUIRE((absorbed_ ? sums.size() == rank : true));
    out.insert(out.end(), head.begin(), head.end());
  }

  Vector values(const Near* v_b, const Vector& latent) const {
    Vector v;
    for (std::size_t i = 0; i < size(a_.latent->v_dim); ++i)
      v.push_back(dot(&v_b[i * latent.size()], latent.data(), latent.size()));
    return v;
  }

  const SpecFile& file_;
  const ModelSpec& spec_;
  const LayerSpec& layer_;
  const AttentionSpec& a_;
  bool absorbed_;
};

SpecFile file_with_weights(const ModelSpec& spec) {
  SpecFile file = file_of(spec);
  const AttentionSpec& a = *spec.layers[0].attention();
  const auto u32 = [&](const char* key, int value) {
    file.u32("minicpm3." + std::string(key), static_cast<std::uint32_t>(value));
  };
  u32("attention.q_lora_rank", a.latent->q_rank);
  u32("attention.kv_lora_rank", a.latent->kv_rank);
  u32("attention.key_length", a.head_dim);
  u32("attention.value_length", a.latent->v_dim);
  file.f32("minicpm3.embedding_scale", spec.embedding.scale);
  std::uint32_t state = 1;
  for (weights::TensorDesc& tensor : file.tensors)
    for (std::int64_t i = 0; i < tensor.n_rows * tensor.n_cols; ++i) {
      state = state * 1664525u + 1013904223u;
      const float uniform = static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
      const bool norm = tensor.name.find("norm") != std::string::npos;
      tensor.values.push_back(tensor.name == "blk.0.ffn_down.weight" ? 0.0f : norm ? 1 + 0.4f * uniform : 0.4f * uniform);
    }
  return file;
}

} // namespace

TEST_CASE("latents with absorbed projections give the logits of expanded ones, within the bound of rounding") {
  if (!promises_bits()) return;
  const auto spec = spec_from_shape(
      "family=minicpm3,layers=1,d_model=24,d_ff=8,heads=3,head_dim=14,rope_dims=6,q_rank=10,kv_rank=13,v_dim=7,vocab=31,ctx=64,"
      "embedding_scale=3");
  REQUIRE(spec);
  const SpecFile file = file_with_weights(*spec);
  const TempDir folder;
  const auto model = Model::open(folder.write("model.gguf", file.build()));
  if (!model) FAIL(model.error().message);
  const std::vector<std::int32_t> tokens = make_prompt(*model, 40);
  SessionOptions session;
  session.kv_type = TensorType::F32;
  const std::vector<float> computed = logits_of(*model, tokens, session, {13, 1, 7});

  const std::vector<Vector> expanded = Reference(file, model->spec(), false).logits(tokens);
  const std::vector<Vector> absorbed = Reference(file, model->spec(), true).logits(tokens);
  double range = 0, worst = 0, widest = 0;
  for (std::size_t i = 0; i < computed.size(); ++i) {
    const Near exact = expanded[i / expanded[0].size()][i % expanded[0].size()];
    const Near bounded = absorbed[i / expanded[0].size()][i % expanded[0].size()];
    REQUIRE(std::abs(exact.value - bounded.value) < 1e-9); // the same function
    REQUIRE(std::isfinite(bounded.error));
    range = std::max(range, std::abs(exact.value));
    widest = std::max(widest, bounded.error);
    worst = std::max(worst, std::abs(computed[i] - exact.value) / bounded.error);
  }
  INFO("largest bound " << widest << " of logits up to " << range << "; largest part of it " << worst);
  CHECK(worst < 1);
  CHECK(widest < 1e-2 * range); // a bound that says something
}

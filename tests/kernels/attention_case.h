/// One call of attention: queries, a cache of exact size with f16 or f32 elements, and the result in double arithmetic.
#pragma once
#include <algorithm>
#include <type_traits>

#include "tests/kernels/vectors.h"

namespace kernel_tests {

using mote::kernels::AttentionArgs;

struct AttentionShape {
  int head_dim, n_heads;
  int first_pos, n_tokens;
  float scale = 0.125f;
  int window = 0;
  float softcap = 0;
  bool sloped = false; ///< each head with a slope of its own
  int n_positions() const { return first_pos + n_tokens; }
  int v_stride() const { return (head_dim + 15) / 16 * 16; }
  int first_attended(int pos) const { return window == 0 ? 0 : std::max(0, pos - window + 1); }
  float slope(int head) const { return sloped ? 0.25f / static_cast<float>(head + 1) : 0.0f; }
};

/// Element: uint16_t (f16) or float. The cache holds the positions of the shape and then n_behind more, which nobody may look at.
template <class Element> class AttentionCase {
 public:
  AttentionCase(const AttentionShape& shape, int n_behind, Random& random)
      : shape_(shape),
        n_ctx_(shape.n_positions() + n_behind),
        q_stride_(size(shape.n_heads * shape.head_dim + 3)),
        q_(size(shape.n_tokens) * q_stride_ - 3),
        k_(size((n_ctx_ + 15) / 16 * 16) * size(shape.head_dim)),
        v_(size(n_ctx_) * size(shape.v_stride())) {
    for (std::size_t i = 0; i < q_.size(); ++i) q_[i] = 2 * random.unit();
    for (std::size_t i = 0; i < k_.size(); ++i) k_[i] = element(2 * random.unit());
    for (std::size_t i = 0; i < v_.size(); ++i) v_[i] = element(2 * random.unit());
  }

  const AttentionShape& shape() const { return shape_; }
  float& q(int token, int head, int d) const { return q_[size(token) * q_stride_ + size(head * shape_.head_dim + d)]; }
  Element& k(int pos, int d) const { return k_[size(pos / 16 * 16) * size(shape_.head_dim) + size(16 * d + pos % 16)]; }
  Element& v(int pos, int d) const { return v_[size(pos) * size(shape_.v_stride()) + size(d)]; }

  static Element element(float x) {
    if constexpr (std::is_same_v<Element, float>) return x;
    else return mote::quant::f16_from_f32(x);
  }
  static double value(Element x) {
    if constexpr (std::is_same_v<Element, float>) return x;
    else return mote::quant::f32_from_f16(x);
  }

  /// k and v of positions first .. last - 1, v's padding and the rest of the last panel too when last is the end.
  void fill(int first, int last, float x) const {
    const int k_last = last == n_ctx_ ? (n_ctx_ + 15) / 16 * 16 : last;
    for (int pos = first; pos < k_last; ++pos)
      for (int d = 0; d < shape_.head_dim; ++d) k(pos, d) = element(x);
    for (int pos = first; pos < last; ++pos)
      for (int d = 0; d < shape_.v_stride(); ++d) v(pos, d) = element(x);
  }
  int n_ctx() const { return n_ctx_; }

  enum class Way { whole, by_chunk };

  /// Tokens first .. first + n - 1 and heads first_head .. first_head + n_heads - 1, into out [n_tokens, n_heads, head_dim] of
  /// the whole shape; the rest of out stays. by_chunk: of one token, the last chunk first, then merged.
  void run(const KernelTable& table, int first, int n, int first_head, int n_heads, std::vector<float>& out,
           Way way = Way::whole) const {
    constexpr std::size_t kElement = std::is_same_v<Element, float> ? 1 : 0;
    const std::size_t width = size(n_heads * shape_.head_dim), stride = width + 5;
    const Exact<float> scratch(mote::kernels::attention_scratch(shape_.head_dim), std::numeric_limits<float>::quiet_NaN());
    const Guarded<float> result(std::vector<float>(size(n) * stride - 5, kUntouched), false);
    AttentionArgs args{};
    args.k = k_.data();
    args.v = v_.data();
    args.head_dim = shape_.head_dim;
    args.v_stride = shape_.v_stride();
    args.first_pos = shape_.first_pos + first;
    args.n_tokens = n;
    args.n_heads = n_heads;
    args.scale = shape_.scale;
    args.window = shape_.window;
    args.softcap = shape_.softcap;
    std::vector<float> slopes;
    for (int head = first_head; head < first_head + n_heads; ++head) slopes.push_back(shape_.slope(head));
    args.slopes = shape_.sloped ? slopes.data() : nullptr;
    args.q = &q(first, first_head, 0);
    args.q_stride = q_stride_;
    args.out = result.data();
    args.out_stride = stride;
    args.scratch = scratch.data();
    const int n_chunks = (args.first_pos + mote::kernels::kAttentionChunk) / mote::kernels::kAttentionChunk;
    const Exact<float> partials(size(way == Way::by_chunk ? n_chunks * n_heads : 0) *
                                mote::kernels::attention_partial(shape_.head_dim));
    args.partials = partials.data();
    if (way == Way::whole) {
      table.attention[kElement](args);
    } else {
      const int first_chunk = shape_.first_attended(args.first_pos) / mote::kernels::kAttentionChunk;
      for (args.chunk = n_chunks - 1; args.chunk >= first_chunk; --args.chunk) table.attend_chunk[kElement](args);
      table.merge_chunks(args);
    }
    REQUIRE(result.guards_intact());
    const auto found = result.values();
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (i % stride >= width) REQUIRE(found[i] == kUntouched);
      else out[index(first + static_cast<int>(i / stride), first_head, static_cast<int>(i % stride))] = found[i];
    }
  }
  std::vector<float> run(const KernelTable& table) const {
    std::vector<float> out(out_size());
    run(table, 0, shape_.n_tokens, 0, shape_.n_heads, out);
    return out;
  }
  std::size_t out_size() const { return size(shape_.n_tokens * shape_.n_heads) * size(shape_.head_dim); }
  std::size_t index(int token, int head, int d) const {
    return size(token * shape_.n_heads + head) * size(shape_.head_dim) + size(d);
  }

  struct Expected {
    std::vector<double> out; ///< [head_dim]
    std::vector<double> bound;
  };
  /// Softmax attention of one row in double arithmetic, and how far float arithmetic in the kernel's order may be off.
  Expected expected(int token, int head) const {
    const int n = shape_.first_pos + token + 1, begin = shape_.first_attended(n - 1);
    std::vector<double> scores(size(begin), -HUGE_VAL);
    double largest = -HUGE_VAL, score_error = 0;
    for (int pos = begin; pos < n; ++pos) {
      double dot = 0, terms = 0;
      for (int d = 0; d < shape_.head_dim; ++d) {
        const double term = static_cast<double>(q(token, head, d)) * value(k(pos, d));
        dot += term;
        terms += std::fabs(term);
      }
      double score = dot * shape_.scale;
      if (shape_.softcap != 0) score = shape_.softcap * std::tanh(score / shape_.softcap);
      const double sloped = shape_.slope(head) * static_cast<double>(pos - n + 1);
      scores.push_back(score + sloped);
      largest = std::max(largest, scores.back());
      score_error = std::max(score_error, terms * std::fabs(shape_.scale) * kHalfUlp * (shape_.head_dim + 1) +
                                              (16 * shape_.softcap + 2 * std::fabs(sloped)) * kHalfUlp);
    }
    double sum = 0;
    std::vector<double> out(size(shape_.head_dim)), terms(size(shape_.head_dim));
    for (int pos = begin; pos < n; ++pos) {
      const double p = std::exp(scores[size(pos)] - largest);
      sum += p;
      for (int d = 0; d < shape_.head_dim; ++d) {
        out[size(d)] += p * value(v(pos, d));
        terms[size(d)] += p * std::fabs(value(v(pos, d)));
      }
    }
    // p: errors of two scores, of their difference (which is at most 50 where it matters) and of exp; sums: a chunk's and the
    // merges'. All of it once in the numerator and once in the denominator.
    const double relative = 2 * (2 * score_error + kHalfUlp * (52 + 256 + 8 * (n / 256 + 1)));
    Expected result;
    for (int d = 0; d < shape_.head_dim; ++d) {
      result.out.push_back(out[size(d)] / sum);
      result.bound.push_back(terms[size(d)] / sum * relative);
    }
    return result;
  }

 private:
  static constexpr float kUntouched = -777.0f;
  static std::size_t size(int n) { return static_cast<std::size_t>(n); }

  AttentionShape shape_;
  int n_ctx_;
  std::size_t q_stride_;
  Exact<float> q_;
  Exact<Element> k_, v_;
};

} // namespace kernel_tests

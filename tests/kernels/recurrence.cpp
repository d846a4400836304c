// Convolutions and scans of recurrent mixers: the same bits on every ISA and for every split into calls, nothing touched beside
// the vectors, and right.
#include <cmath>

#include "tests/catch.h"
#include "tests/kernels/vectors.h"

using namespace kernel_tests;
using namespace mote::kernels;

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }
std::size_t panels(int n) { return size((n + 15) / 16); }

std::vector<float> uniform(std::size_t n, float low, float high, Random& random) {
  std::vector<float> x(n);
  for (float& v : x) v = low + (high - low) * (0.5f + 0.5f * random.unit());
  return x;
}

/// A place in panels of n numbers a channel.
std::size_t lane(int channel, int n, int i) { return (size(channel / 16) * size(n) + size(i)) * 16 + size(channel % 16); }

/// One sequence through one mixer; also its lengths in calls.
struct Case {
  int n_channels, n, n_tokens; ///< n: d_conv or d_state
  std::size_t stride;          ///< of inputs and outputs
  std::vector<float> x, dt, z, b, c, a, d, bias, lambda;
  Case(int channels, int inner, int tokens, Random& random)
      : n_channels(channels), n(inner), n_tokens(tokens), stride(size(channels + 3)) {
    const std::size_t all = size(tokens) * stride;
    x = uniform(all, -2, 2, random);
    dt = uniform(all, -6, 3, random);
    z = uniform(all, -3, 3, random);
    b = uniform(size(tokens) * size(n), -1, 1, random);
    c = uniform(size(tokens) * size(n), -1, 1, random);
    a = uniform(panels(channels) * size(n) * 16, -3, 0, random);
    d = uniform(size(channels), 0, 1, random);
    bias = uniform(size(channels), -1, 1, random);
    lambda = uniform(size(channels), -5, 1, random);
  }
};

struct Result {
  std::vector<float> out, state;
};

/// Calls run(first token, tokens, out, state) for pieces of the sequence of at most n_most tokens.
template <class Run> Result in_calls(const Case& s, std::size_t n_state, int n_most, bool guards_behind, Run run) {
  // the last row of the output ends with its channels
  const std::size_t n_out = size(s.n_tokens - 1) * s.stride + size(s.n_channels);
  const Guarded<float> out(std::vector<float>(n_out, 0.5f), guards_behind),
      state(std::vector<float>(n_state, 0.0f), guards_behind);
  for (int t = 0; t < s.n_tokens; t += n_most)
    run(size(t), std::min(n_most, s.n_tokens - t), out.data() + size(t) * s.stride, state.data());
  REQUIRE(out.guards_intact());
  REQUIRE(state.guards_intact());
  return {out.values(), state.values()};
}

Result conv(const KernelTable& table, const Case& s, bool with_bias, int n_most, bool guards_behind) {
  return in_calls(s, panels(s.n_channels) * size(s.n - 1) * 16, n_most, guards_behind,
                  [&](std::size_t t, int n, float* out, float* past) {
                    table.causal_conv({s.x.data() + t * s.stride, s.stride, s.a.data(), with_bias ? s.bias.data() : nullptr, past,
                                       s.n, s.n_channels, n, out, s.stride});
                  });
}

Result mamba(const KernelTable& table, const Case& s, int n_most, bool guards_behind) {
  return in_calls(s, s.a.size(), n_most, guards_behind, [&](std::size_t t, int n, float* out, float* state) {
    const std::size_t at = t * s.stride, at_bc = t * size(s.n);
    table.mamba_scan({s.x.data() + at, s.stride, s.dt.data() + at, s.stride, s.z.data() + at, s.stride, s.b.data() + at_bc,
                      s.c.data() + at_bc, size(s.n), s.a.data(), s.d.data(), state, s.n, s.n_channels, n, out, s.stride});
  });
}

/// The channels are one head; its numbers are the first ones.
Result mamba2(const KernelTable& table, const Case& s, int n_most, bool guards_behind) {
  return in_calls(s, s.a.size(), n_most, guards_behind, [&](std::size_t t, int n, float* out, float* state) {
    const std::size_t at = t * s.stride, at_bc = t * size(s.n);
    table.mamba2_scan({s.x.data() + at, s.stride, s.dt.data() + at, s.stride, s.z.data() + at, s.stride, s.b.data() + at_bc,
                       s.c.data() + at_bc, size(s.n), s.bias[0], s.a[0], s.d[0], state, s.n, s.n_channels, n, out, s.stride});
  });
}

Result rg_lru(const KernelTable& table, const Case& s, int n_most, bool guards_behind) {
  return in_calls(s, panels(s.n_channels) * 16, n_most, guards_behind, [&](std::size_t t, int n, float* out, float* state) {
    const std::size_t at = t * s.stride;
    table.rg_lru({s.x.data() + at, s.stride, s.z.data() + at, s.dt.data() + at, s.stride, s.bias.data(), s.d.data(),
                  s.lambda.data(), s.z.data() + at, s.stride, state, static_cast<int>(t), s.n_channels, n, out, s.stride});
  });
}

bool same(const Result& a, const Result& b) { return same_values(a.out, b.out) && same_values(a.state, b.state); }

std::vector<Case> cases(Random& random) {
  std::vector<Case> all;
  for (const int n_channels : {1, 15, 16, 17, 37, 64})
    for (const auto& [n, n_tokens] : {std::pair{1, 1}, {3, 2}, {4, 7}, {5, 20}, {16, 9}})
      all.emplace_back(n_channels, n, n_tokens, random);
  return all;
}

double softplus(double x) { return std::log1p(std::exp(-std::fabs(x))) + std::fmax(x, 0.0); }
double silu(double x) { return x / (1 + std::exp(-x)); }

/// dt and decay of a token and channel, in double.
template <class Dt, class Decay>
std::vector<double> scan_reference(const Case& s, Dt dt, Decay decay, const std::vector<float>& d, bool one_d) {
  std::vector<double> out;
  for (int i = 0; i < s.n_channels; ++i) {
    std::vector<double> h(size(s.n), 0.0);
    for (int t = 0; t < s.n_tokens; ++t) {
      const std::size_t at = size(t) * s.stride + size(i), at_bc = size(t) * size(s.n);
      const double step = softplus(dt(at, t)), x = s.x[at];
      double y = x * d[one_d ? 0 : size(i)];
      for (int k = 0; k < s.n; ++k) {
        h[size(k)] = std::exp(step * decay(i, k)) * h[size(k)] + step * x * s.b[at_bc + size(k)];
        y += h[size(k)] * s.c[at_bc + size(k)];
      }
      out.push_back(y * silu(s.z[at]));
    }
  }
  return out;
}

void check_near(const Case& s, const std::vector<float>& out, const std::vector<double>& expected) {
  for (int i = 0; i < s.n_channels; ++i)
    for (int t = 0; t < s.n_tokens; ++t) {
      const double e = expected[size(i) * size(s.n_tokens) + size(t)];
      REQUIRE(std::fabs(out[size(t) * s.stride + size(i)] - e) <= 1e-5 * (1 + std::fabs(e)));
    }
}

} // namespace

TEST_CASE("recurrence: every ISA and every split into calls computes scalar's bits") {
  Random random(21);
  const auto all = tables();
  for (const Case& s : cases(random)) {
    const Result plain = conv(*all[0], s, false, s.n_tokens, false), biased = conv(*all[0], s, true, s.n_tokens, false);
    const Result scan = mamba(*all[0], s, s.n_tokens, false), scan2 = mamba2(*all[0], s, s.n_tokens, false);
    const Result lru = rg_lru(*all[0], s, s.n_tokens, false);
    for (const KernelTable* table : all)
      for (const bool guards_behind : {false, true})
        for (const int n_most : {1, 2, 5, s.n_tokens}) {
          INFO(table->name << ": " << s.n_channels << " channels, " << s.n << ", " << s.n_tokens << " tokens by " << n_most);
          REQUIRE(same(conv(*table, s, false, n_most, guards_behind), plain));
          REQUIRE(same(conv(*table, s, true, n_most, guards_behind), biased));
          REQUIRE(same(mamba(*table, s, n_most, guards_behind), scan));
          REQUIRE(same(mamba2(*table, s, n_most, guards_behind), scan2));
          REQUIRE(same(rg_lru(*table, s, n_most, guards_behind), lru));
        }
  }
}

TEST_CASE("causal_conv: the sum over the last tokens, zeros before the first") {
  Random random(22);
  for (const Case& s : cases(random)) {
    const std::vector<float> out = conv(*tables()[0], s, true, s.n_tokens, false).out;
    for (int i = 0; i < s.n_channels; ++i)
      for (int t = 0; t < s.n_tokens; ++t) {
        double e = s.bias[size(i)];
        for (int k = std::max(0, s.n - 1 - t); k < s.n; ++k)
          e += double(s.a[lane(i, s.n, k)]) * s.x[size(t - s.n + 1 + k) * s.stride + size(i)];
        REQUIRE(std::fabs(out[size(t) * s.stride + size(i)] - e) <= 1e-5);
      }
  }
}

TEST_CASE("mamba_scan and mamba2_scan: the recurrence, in double") {
  Random random(23);
  for (const Case& s : cases(random)) {
    check_near(
        s, mamba(*tables()[0], s, s.n_tokens, false).out,
        scan_reference(
            s, [&](std::size_t at, int) { return s.dt[at]; }, [&](int i, int k) { return s.a[lane(i, s.n, k)]; }, s.d, false));
    check_near(s, mamba2(*tables()[0], s, s.n_tokens, false).out,
               scan_reference(
                   s, [&](std::size_t, int t) { return double(s.dt[size(t) * s.stride]) + s.bias[0]; },
                   [&](int, int) { return s.a[0]; }, s.d, true));
  }
}

TEST_CASE("rg_lru: the recurrence, in double") {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  Random random(25);
  for (const Case& s : cases(random)) {
    const std::vector<float> out = rg_lru(*tables()[0], s, s.n_tokens, false).out;
    for (int i = 0; i < s.n_channels; ++i) {
      double h = 0;
      for (int t = 0; t < s.n_tokens; ++t) {
        const std::size_t at = size(t) * s.stride + size(i);
        const double log_a = -8 * softplus(s.lambda[size(i)]) * sigmoid(double(s.dt[at]) + s.d[size(i)]);
        const double input = s.x[at] * sigmoid(double(s.z[at]) + s.bias[size(i)]), z = s.z[at];
        h = std::exp(log_a) * h + (t == 0 ? 1 : std::sqrt(1 - std::exp(2 * log_a))) * input;
        const double e = h * 0.5 * z * (1 + std::tanh(0.7978845608028654 * (z + 0.044715 * z * z * z)));
        REQUIRE(std::fabs(out[at] - e) <= 1e-4 * (1 + std::fabs(e))); // the root loses digits where a is near 1
      }
    }
  }
}

TEST_CASE("time steps keep their digits however small they are") {
  // with d = 0, b = c = x = 1 and a state of 0 the output is dt silu(z)
  for (const KernelTable* table : tables())
    for (float dt = -80; dt < 80; dt += 0.37f) {
      const float one = 1, zero = 0, z = 40;
      std::vector<float> state(16), a(16);
      float out = 0;
      table->mamba_scan({&one, 1, &dt, 1, &z, 1, &one, &one, 1, a.data(), &zero, state.data(), 1, 1, 1, &out, 1});
      const double expected = 40 * softplus(dt);
      INFO(table->name << ": " << dt);
      REQUIRE(std::fabs(out - expected) <= 4 * ulp_of(expected));
    }
}

TEST_CASE("multiply: the product of the elements") {
  Random random(24);
  const auto y = random_values(100, Values::usual, random), x = random_values(100, Values::usual, random);
  auto product = x;
  tables()[0]->multiply(y.data(), 100, product.data());
  for (std::size_t i = 0; i < 100; ++i) REQUIRE(same_value(product[i], x[i] * y[i]));
}

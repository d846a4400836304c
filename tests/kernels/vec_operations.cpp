// Every vector operation: the same bits on every ISA at every length, nothing touched beside the vector, and right.
#include <functional>

#include "tests/catch.h"
#include "tests/kernels/vectors.h"

using namespace kernel_tests;

namespace {

/// Operands of one call; x is changed in place.
struct Operands {
  int n;
  const float* a;
  const float* b;
  float* x;
};
using Operation = std::function<void(const KernelTable&, const Operands&)>;

struct NamedOperation {
  const char* name;
  Operation call;
};

std::vector<NamedOperation> operations() {
  std::vector<NamedOperation> all = {
      {"rms_norm", [](const KernelTable& k, const Operands& o) { k.rms_norm(o.x, o.a, 1e-5f, o.n, o.x); }},
      {"layer_norm", [](const KernelTable& k, const Operands& o) { k.layer_norm(o.x, o.a, o.b, 1e-5f, o.n, o.x); }},
      {"layer_norm without bias",
       [](const KernelTable& k, const Operands& o) { k.layer_norm(o.x, o.a, nullptr, 1e-6f, o.n, o.x); }},
      {"add", [](const KernelTable& k, const Operands& o) { k.add(1, o.a, o.n, o.x); }},
      {"add a multiple", [](const KernelTable& k, const Operands& o) { k.add(0.3f, o.a, o.n, o.x); }},
      {"scale", [](const KernelTable& k, const Operands& o) { k.scale(-1.7f, o.n, o.x); }},
      {"clamp", [](const KernelTable& k, const Operands& o) { k.clamp(0.4f, o.n, o.x); }},
      {"softmax", [](const KernelTable& k, const Operands& o) { k.softmax(o.n, o.x); }},
      {"softcap", [](const KernelTable& k, const Operands& o) { k.softcap(0.7f, o.n, o.x); }},
      {"multiply", [](const KernelTable& k, const Operands& o) { k.multiply(o.a, o.n, o.x); }},
      {"rope_interleaved", [](const KernelTable& k, const Operands& o) { k.rope_interleaved(o.a, o.b, o.n / 2 * 2, o.x); }},
      {"rope_halves", [](const KernelTable& k, const Operands& o) { k.rope_halves(o.a, o.b, o.n / 2 * 2, o.x); }},
  };
  static constexpr const char* kActivations[] = {"silu", "gelu_tanh", "gelu_erf", "relu", "relu_squared"};
  static constexpr const char* kGates[] = {"silu gate", "gelu_tanh gate", "gelu_erf gate", "relu gate", "relu_squared gate"};
  for (int i = 0; i < mote::kernels::kNumActivations; ++i) {
    all.push_back({kActivations[i], [i](const KernelTable& k, const Operands& o) { k.activate[i](o.n, o.x); }});
    all.push_back({kGates[i], [i](const KernelTable& k, const Operands& o) { k.gate[i](o.a, o.n, o.x); }});
  }
  return all;
}

std::size_t size(int n) { return static_cast<std::size_t>(n); }

std::vector<float> run(const KernelTable& table, const Operation& call, const std::vector<float>& a, const std::vector<float>& b,
                       const std::vector<float>& x, bool guards_behind) {
  const Guarded<float> in_a(a, false), in_b(b, false), in_out(x, guards_behind);
  call(table, {static_cast<int>(x.size()), in_a.data(), in_b.data(), in_out.data()});
  REQUIRE(in_out.guards_intact());
  return in_out.values();
}

} // namespace

TEST_CASE("vector operations: every ISA computes scalar's bits at every length") {
  const auto all = tables();
  Random random(11);
  for (const NamedOperation& operation : operations()) {
    for (int n : kLengths) {
      for (Values kind : {Values::usual, Values::any}) {
        const auto a = random_values(n, Values::usual, random), b = random_values(n, Values::usual, random);
        const auto x = random_values(n, kind, random);
        const auto expected = run(*all[0], operation.call, a, b, x, false);
        for (const KernelTable* table : all) {
          INFO(table->name << ": " << operation.name << ", n = " << n);
          REQUIRE(same_values(run(*table, operation.call, a, b, x, false), expected));
          REQUIRE(same_values(run(*table, operation.call, a, b, x, true), expected));
        }
      }
    }
  }
}

TEST_CASE("vector operations: the same bits over the whole range of floats") {
  const auto all = tables();
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < 1ull << 32; bits += 65519) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  const int n = static_cast<int>(x.size());
  for (int i = 0; i < mote::kernels::kNumActivations; ++i) {
    auto expected = x;
    all[0]->activate[i](n, expected.data());
    for (const KernelTable* table : all) {
      INFO(table->name << ": activation " << i);
      auto found = x;
      table->activate[i](n, found.data());
      REQUIRE(same_values(found, expected));
    }
  }
}

TEST_CASE("vector operations: norms may write to another vector and then leave theirs alone") {
  Random random(12);
  for (const KernelTable* table : tables()) {
    for (int n : {5, 16, 100}) {
      const auto x = random_values(n, Values::usual, random), w = random_values(n, Values::usual, random);
      auto in_place = x, source = x;
      const Guarded<float> out(x, true);
      table->rms_norm(in_place.data(), w.data(), 1e-5f, n, in_place.data());
      table->rms_norm(source.data(), w.data(), 1e-5f, n, out.data());
      REQUIRE(same_values(out.values(), in_place));
      in_place = x;
      table->layer_norm(in_place.data(), w.data(), w.data(), 1e-5f, n, in_place.data());
      table->layer_norm(source.data(), w.data(), w.data(), 1e-5f, n, out.data());
      REQUIRE(same_values(out.values(), in_place));
      REQUIRE(same_values(source, x));
      REQUIRE(out.guards_intact());
    }
  }
}

TEST_CASE("add: the sum of the elements") {
  Random random(13);
  const auto y = random_values(100, Values::usual, random), x = random_values(100, Values::usual, random);
  auto sum = x;
  tables()[0]->add(1, y.data(), 100, sum.data());
  for (std::size_t i = 0; i < 100; ++i) REQUIRE(same_value(sum[i], x[i] + y[i]));
}

TEST_CASE("softmax: the formula in double arithmetic, minus infinity is 0, one value alone is 1") {
  Random random(16);
  const KernelTable& scalar = *tables()[0];
  for (int n : {1, 2, 8, 15, 16, 17, 60, 300}) {
    auto x = random_values(n, Values::usual, random);
    if (n > 2) x[size(n / 2)] = -HUGE_VALF;
    double sum = 0, largest = -HUGE_VAL;
    for (const float value : x) largest = std::max(largest, static_cast<double>(value));
    for (const float value : x) sum += std::exp(value - largest);
    auto found = x;
    scalar.softmax(n, found.data());
    for (int i = 0; i < n; ++i) {
      const double expected = std::exp(x[size(i)] - largest) / sum;
      // the difference of two values of up to |largest - x|, exp, the sum, the division
      const double bound = expected * kHalfUlp * (std::isinf(x[size(i)]) ? 1 : largest - x[size(i)] + n + 8) + 0x1p-126;
      REQUIRE(std::fabs(found[size(i)] - expected) <= bound);
    }
    if (n > 2) REQUIRE(found[size(n / 2)] == 0);
    if (n == 1) REQUIRE(found[0] == 1);
  }
}

TEST_CASE("rope: pairs turn by their angle, the rest of the head stays") {
  Random random(14);
  const KernelTable& scalar = *tables()[0];
  for (int dims : {2, 6, 32, 34, 64, 80, 128}) {
    const int half = dims / 2, head_dim = dims + 5;
    std::vector<float> cos, sin;
    for (int i = 0; i < half; ++i) {
      const double angle = 1000.0 * std::pow(10000.0, -static_cast<double>(i) / half);
      cos.push_back(static_cast<float>(std::cos(angle)));
      sin.push_back(static_cast<float>(std::sin(angle)));
    }
    const auto x = random_values(head_dim, Values::usual, random);
    for (bool halves : {false, true}) {
      INFO(dims << " dimensions, halves: " << halves);
      auto turned = x;
      (halves ? scalar.rope_halves : scalar.rope_interleaved)(cos.data(), sin.data(), dims, turned.data());
      for (int i = 0; i < half; ++i) {
        const std::size_t first = size(halves ? i : 2 * i), second = size(halves ? half + i : 2 * i + 1);
        const double a = x[first], b = x[second], c = cos[size(i)], s = sin[size(i)];
        const double bound = 2 * kHalfUlp * (std::fabs(a) + std::fabs(b)) + 0x1p-149; // two roundings
        REQUIRE(std::fabs(turned[first] - (a * c - b * s)) <= bound);
        REQUIRE(std::fabs(turned[second] - (a * s + b * c)) <= bound);
      }
      for (int i = dims; i < head_dim; ++i) REQUIRE(same_value(turned[size(i)], x[size(i)]));
    }
  }
}

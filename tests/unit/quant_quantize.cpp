// quant/: values to blocks. How close they come, that nothing in the input can harm them, that the bytes are the same everywhere.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <vector>

#include "quant/quant.h"
#include "tests/catch.h"

using namespace mote;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kLargestFloat = std::numeric_limits<float>::max();

class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  double uniform() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; }
  double gauss() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

std::vector<std::byte> quantize(TensorType type, std::span<const float> x) {
  const std::size_t n_bytes = row_bytes(type, x.size());
  std::vector<std::byte> out(n_bytes + 2, std::byte{0xA5}); // an odd address, and a guard at each end
  quant::quantize(type, x, out.data() + 1);
  CHECK(out.front() == std::byte{0xA5});
  CHECK(out.back() == std::byte{0xA5});
  return {out.begin() + 1, out.end() - 1};
}

std::vector<float> round_trip(TensorType type, std::span<const float> x) {
  std::vector<float> out(x.size());
  quant::dequantize(type, quantize(type, x).data(), out);
  return out;
}

double rmse(std::span<const float> x, std::span<const float> y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double difference = static_cast<double>(x[i]) - static_cast<double>(y[i]);
    sum += difference * difference;
  }
  return std::sqrt(sum / static_cast<double>(x.size()));
}

float largest_difference(std::span<const float> x, std::span<const float> y) {
  float largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

constexpr std::size_t kColumns = 4096, kRows = 64;

std::vector<float> gaussian() {
  SplitMix random(1);
  std::vector<float> x(kRows * kColumns);
  for (float& value : x) value = static_cast<float>(0.02 * random.gauss());
  return x;
}

std::vector<float> laplace() {
  SplitMix random(2);
  std::vector<float> x(kRows * kColumns);
  for (float& value : x) {
    const double t = random.uniform() - 0.5;
    value = static_cast<float>(std::copysign(0.02 / std::numbers::sqrt2, -t) * std::log1p(-2 * std::abs(t)));
  }
  return x;
}

std::vector<float> outlier_columns() {
  SplitMix random(3);
  std::vector<float> x(kRows * kColumns);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double value = 0.02 * random.gauss();
    x[i] = static_cast<float>(i % 64 == 37 ? 8 * value : value);
  }
  return x;
}

struct Distribution {
  const char* name;
  std::vector<float> (*make)();
  double rms;
  float first[8];
};
const Distribution kDistributions[] = {
    {"gaussian",
     gaussian,
     0.019990176135259132,
     {-0.000564994931f, -0.00455839047f, 0.00206181896f, -0.0101240817f, 0.00864286441f, -0.0212288499f, -0.024654353f,
      0.0128339073f}},
    {"laplace",
     laplace,
     0.020000554223095032,
     {0.00284761726f, 0.00975456182f, 0.00300234393f, 0.0107028792f, -0.00668815663f, -0.00518128928f, 0.00852447469f,
      0.00919836108f}},
    {"outlier_columns",
     outlier_columns,
     0.028189445980815072,
     {-0.0128210317f, 0.0177496169f, -0.0229375791f, 0.030624941f, 0.0182374846f, -0.00401921384f, -0.0124629131f,
      0.0049289954f}},
};

// Root of the mean squared error on the three distributions above. `reference`: of ggml's quantize_row_*_ref, August 2026.
// `ours`: what this library makes, written down so that losing some of it is noticed.
struct ExpectedError {
  TensorType type;
  double reference[3];
  double ours[3];
};
constexpr ExpectedError kExpectedErrors[] = {
    {TensorType::Q8_0, {0.000106938639, 0.000134281096, 0.000266120575}, {9.63862e-05, 0.000123266, 0.00025236}},
    {TensorType::Q4_0, {0.00172022955, 0.00213569765, 0.00419999816}, {0.00161853, 0.00203949, 0.00408424}},
    {TensorType::Q4_1, {0.00156017221, 0.00183749219, 0.00282085094}, {0.00137378, 0.00162407, 0.00250546}},
    {TensorType::Q5_0, {0.000852464984, 0.00106932941, 0.00211243757}, {0.0008017, 0.0010237, 0.00207407}},
    {TensorType::Q5_1, {0.000755647635, 0.000886820179, 0.00136021969}, {0.000663248, 0.000784141, 0.00121236}},
    {TensorType::Q3_K, {0.00301107397, 0.00352170743, 0.00563239092}, {0.0028624, 0.00335535, 0.00546183}},
    {TensorType::Q4_K, {0.00142371537, 0.00169082089, 0.00263064539}, {0.00138341, 0.00163864, 0.00254416}},
    {TensorType::Q5_K, {0.000721135399, 0.000856176396, 0.00132576896}, {0.000681651, 0.000808215, 0.00125818}},
    {TensorType::Q6_K, {0.000355337945, 0.000433504733, 0.000774659947}, {0.000330894, 0.000405368, 0.000742147}},
};

std::vector<TensorType> written_types() {
  std::vector<TensorType> types;
  for (const TypeInfo& info : all_types()) {
    if (quant::can_quantize(info.type)) types.push_back(info.type);
  }
  return types;
}
bool is_block_type(TensorType type) { return type_info(type).block_weights > 1; }

// Two K blocks of values that need no libm and span several magnitudes.
std::vector<float> plain_values(std::uint64_t seed) {
  SplitMix random(seed);
  std::vector<float> x(512);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto steps = static_cast<std::int32_t>(random.bits() % 2001) - 1000;
    x[i] = static_cast<float>(steps) * (i % 96 < 64 ? 0x1p-15f : 0x1p-12f);
  }
  return x;
}

std::uint64_t fnv1a(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001B3;
  return hash;
}

} // namespace

TEST_CASE("quantize: no more error than the reference, on three distributions", "[quant]") {
  for (int d = 0; d < 3; ++d) {
    const Distribution& distribution = kDistributions[d];
    INFO(distribution.name);
    const std::vector<float> x = distribution.make();
    const std::vector<float> zeros(x.size());
    REQUIRE(rmse(x, zeros) == Approx(distribution.rms).epsilon(1e-7));
    for (std::size_t i = 0; i < 8; ++i) REQUIRE(x[i] == Approx(distribution.first[i]).epsilon(1e-6));
    for (const ExpectedError& expected : kExpectedErrors) {
      INFO(type_info(expected.type).name);
      const double error = rmse(x, round_trip(expected.type, x));
      CHECK(error <= expected.reference[d] * (1 + 1e-5));
      CHECK(error <= expected.ours[d] * 1.001);
    }
  }
}

TEST_CASE("quantize: the 16-bit floats are the nearest ones, F32 is a copy", "[quant]") {
  const std::vector<float> x = gaussian();
  CHECK(round_trip(TensorType::F32, x) == x);
  const std::vector<float> f16 = round_trip(TensorType::F16, x);
  const std::vector<float> bf16 = round_trip(TensorType::BF16, x);
  int wrong = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (f16[i] != quant::f32_from_f16(quant::f16_from_f32(x[i]))) ++wrong;
    if (bf16[i] != quant::f32_from_bf16(quant::bf16_from_f32(x[i]))) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("quantize: the same bytes on every machine and compiler", "[quant]") {
  struct Expected {
    TensorType type;
    std::uint64_t hash;
  };
  // A change of a search changes its bytes, and these.
  const Expected expected[] = {
      {TensorType::F32, 0x5047045B0733116D},  {TensorType::F16, 0x0643BA08A01B96D8},  {TensorType::Q4_0, 0xDDAF1E2FD734AA18},
      {TensorType::Q4_1, 0xFD2BCBA0708802B3}, {TensorType::Q5_0, 0x54910B860B122B2A}, {TensorType::Q5_1, 0x84C6A06467F0A04D},
      {TensorType::Q8_0, 0x1D9766D710813F99}, {TensorType::Q3_K, 0x6F6EDD4439A8FDD0}, {TensorType::Q4_K, 0x8386735801005B24},
      {TensorType::Q5_K, 0x2E816BB42E2AC47D}, {TensorType::Q6_K, 0xC54A7F5261A0D67A}, {TensorType::BF16, 0x13412CF1E4048D1B},
  };
  const std::vector<float> x = plain_values(5);
  for (const Expected& entry : expected) {
    INFO(type_info(entry.type).name);
    CHECK(fnv1a(quantize(entry.type, x)) == entry.hash);
  }
}

TEST_CASE("quantize: a row is its blocks, whatever stands beside them", "[quant]") {
  const std::vector<float> x = plain_values(6);
  for (const TensorType type : written_types()) {
    INFO(type_info(type).name);
    const auto n = static_cast<std::size_t>(type_info(type).block_weights);
    std::vector<std::byte> by_block;
    for (std::size_t i = 0; i < x.size(); i += n) {
      const auto block = quantize(type, std::span(x).subspan(i, n));
      by_block.insert(by_block.end(), block.begin(), block.end());
    }
    CHECK(quantize(type, x) == by_block);
    CHECK(quantize(type, {}).empty());
  }
}

TEST_CASE("quantize: what is not finite counts as zero", "[quant]") {
  for (const TensorType type : written_types()) {
    INFO(type_info(type).name);
    std::vector<float> x = plain_values(7);
    std::vector<float> zeroed = x;
    const float bad[] = {kNan, kInfinity, -kInfinity, -kNan};
    for (std::size_t i = 0; i < x.size(); i += 7) {
      x[i] = bad[i % 4];
      zeroed[i] = 0.0f;
    }
    CHECK(quantize(type, x) == quantize(type, zeroed));
    const std::vector<std::byte> zero = quantize(type, std::vector<float>(256));
    for (const float value : bad) CHECK(quantize(type, std::vector<float>(256, value)) == zero);
  }
}

TEST_CASE("quantize: zeros and what is too small stay zero", "[quant]") {
  for (const TensorType type : written_types()) {
    INFO(type_info(type).name);
    for (const float value : {0.0f, -0.0f, std::numeric_limits<float>::denorm_min(), -1e-30f, 1e-13f, 1e-9f}) {
      INFO(value);
      const bool kept =
          type == TensorType::F32 || (type == TensorType::BF16 && value > 1e-40f) || (type == TensorType::BF16 && value < 0.0f);
      const std::vector<float> x(256, value);
      const std::vector<float> y = round_trip(type, x);
      if (kept) {
        CHECK(largest_difference(x, y) <= std::abs(value) / 256);
      } else {
        CHECK(std::all_of(y.begin(), y.end(), [](float v) { return v == 0.0f; }));
      }
    }
  }
}

TEST_CASE("quantize: what is beyond the range becomes its end", "[quant]") {
  struct Range {
    TensorType type;
    float highest, lowest; // what every sign of the scale can reach
  };
  constexpr float kHalf = 65504.0f; // of f16
  const Range ranges[] = {
      {TensorType::F32, kLargestFloat, kLargestFloat},
      {TensorType::F16, kHalf, kHalf},
      {TensorType::BF16, 0x1.FEp127f, 0x1.FEp127f},
      {TensorType::Q8_0, kHalf * 127, kHalf * 127},
      {TensorType::Q4_0, kHalf * 7, kHalf * 7},
      {TensorType::Q5_0, kHalf * 15, kHalf * 15},
      {TensorType::Q4_1, kHalf * 15, kHalf},
      {TensorType::Q5_1, kHalf * 31, kHalf},
      {TensorType::Q4_K, kHalf * 63 * 15, kHalf * 63},
      {TensorType::Q5_K, kHalf * 63 * 31, kHalf * 63},
      {TensorType::Q3_K, kHalf * 31 * 3, kHalf * 31 * 3},
      {TensorType::Q6_K, kHalf * 127 * 31, kHalf * 127 * 31},
  };
  REQUIRE(std::size(ranges) == written_types().size());
  for (const auto& [type, highest, lowest] : ranges) {
    INFO(type_info(type).name);
    for (const float sign : {1.0f, -1.0f}) {
      std::vector<float> x(256);
      x[100] = sign * kLargestFloat;
      const std::vector<float> alone = round_trip(type, x);
      CHECK(std::isfinite(alone[100]));
      CHECK(alone[100] * sign >= (sign > 0 ? highest : lowest) * 0.93f); // scale and min of an affine block saturate apart
      for (std::size_t i = 0; i < 256; ++i) {
        if (i / 32 != 3) CHECK(alone[i] == 0.0f);
      }
      for (std::size_t i = 0; i < 256; ++i) x[i] = (i % 3 == 0 ? -sign : sign) * kLargestFloat;
      for (const float y : round_trip(type, x)) CHECK(std::isfinite(y));
    }
  }
}

TEST_CASE("quantize: values near the smallest f16 are rounded, not lost", "[quant]") {
  const std::vector<float> x = plain_values(8);
  for (const TensorType type : written_types()) {
    INFO(type_info(type).name);
    for (const float factor : {0x1p-4f, 0x1p-8f, 0x1p-12f, 0x1p-16f, 0x1p-20f}) {
      INFO(factor);
      std::vector<float> small = x;
      for (float& value : small) value *= factor;
      const float largest = largest_difference(small, std::vector<float>(small.size()));
      // A third of the largest value is what 3-bit codes may miss, the rest is the coarseness of subnormal scales.
      CHECK(largest_difference(small, round_trip(type, small)) <= std::max(largest / 3, 0x1p-24f));
    }
  }
}

TEST_CASE("quantize: blocks of one value", "[quant]") {
  for (const TensorType type : written_types()) {
    INFO(type_info(type).name);
    for (const float value : {0.5f, -0.5f, 3.1415927f, -1000.0f, 0.001f}) {
      INFO(value);
      const std::vector<float> x(256, value);
      CHECK(largest_difference(x, round_trip(type, x)) <= std::abs(value) * 0.01f);
    }
  }
}

TEST_CASE("quantize: an outlier does not harm the other groups", "[quant]") {
  // One value a thousand times the rest: where scales are per group and fine enough, the other groups keep their shape.
  std::vector<float> x(256);
  SplitMix random(9);
  for (float& value : x) value = static_cast<float>(random.uniform() - 0.5);
  x[200] = 500.0f;
  for (const TensorType type : written_types()) {
    INFO(type_info(type).name);
    const std::vector<float> y = round_trip(type, x);
    CHECK(y[200] == Approx(500.0f).epsilon(0.02));
    if (!is_block_type(type) || type_info(type).block_weights == 32) {
      CHECK(rmse(std::span(x).first(192), std::span(y).first(192)) < 0.03);
    } else {
      CHECK(rmse(std::span(x).first(192), std::span(y).first(192)) < 0.3); // no worse than losing them
    }
  }
}

TEST_CASE("quantize: any bit patterns give finite weights", "[quant]") {
  SplitMix random(10);
  std::vector<float> x(256);
  for (int round = 0; round < 200; ++round) {
    // Some rounds are of one magnitude: 0 .. 255 is the exponent, beyond that anything goes.
    const std::uint64_t exponent = random.bits() % 512;
    for (float& value : x) {
      auto bits = static_cast<std::uint32_t>(random.bits());
      if (exponent < 256) bits = (bits & 0x807FFFFF) | static_cast<std::uint32_t>(exponent) << 23;
      std::memcpy(&value, &bits, sizeof(value));
    }
    for (const TensorType type : written_types()) {
      INFO(type_info(type).name << ", round " << round);
      const std::vector<float> y = round_trip(type, x);
      CHECK(std::all_of(y.begin(), y.end(), [](float v) { return std::isfinite(v); }));
    }
  }
}

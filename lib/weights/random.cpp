// Random weights without quantizing: random codes, and scales that give the values the wanted mean and deviation.
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "lib/weights/tensors.h"
#include "quant/quant.h"

namespace mote::weights {

namespace {

std::uint64_t mix_bits(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// SplitMix64 (Steele, Lea, Flood 2014): 64 bits a step, its state a plain counter.
class Stream {
 public:
  explicit Stream(std::uint64_t state) : state_(state) {}
  std::uint64_t next() { return mix_bits(state_ += 0x9e3779b97f4a7c15u); }
  void fill(std::byte* out, std::size_t n) {
    for (; n >= 8; n -= 8, out += 8) {
      const std::uint64_t bits = next();
      std::memcpy(out, &bits, 8);
    }
    if (n != 0) {
      const std::uint64_t bits = next();
      std::memcpy(out, &bits, n);
    }
  }

 private:
  std::uint64_t state_;
};

/// FNV-1a
std::uint64_t hash(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

float load_f16(const std::byte* at) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, at, 2);
  return quant::f32_from_f16(bits);
}

void store_f16(std::byte* at, float value) {
  const std::uint16_t bits = quant::f16_from_f32(value);
  std::memcpy(at, &bits, 2);
}

// How the random bytes of a block become a sound block of scale d. Where codes are not symmetric about zero the format's own
// minimum centres them, or d gets a random sign.

void set_d_first(std::byte* block, float d) { store_f16(block, d); }
void set_d_q3_k(std::byte* block, float d) { store_f16(block + 108, d); }
void set_d_q6_k(std::byte* block, float d) { store_f16(block + 208, d); }

/// Code -128 does not occur in files; 0 in its place keeps the codes symmetric.
void set_q8_0(std::byte* block, float d) {
  store_f16(block, d);
  for (int i = 2; i < 34; ++i)
    if (block[i] == std::byte{0x80}) block[i] = std::byte{0};
}

/// The minimum is minus the middle of the codes.
template <int kCodes> void set_d_and_m(std::byte* block, float d) {
  store_f16(block, d);
  store_f16(block + 2, load_f16(block) * -(static_cast<float>(kCodes - 1) / 2));
}

/// Every 16 weights have a scale of 8 to 15 and the same number for a minimum.
void set_q2_k(std::byte* block, float d) {
  for (int i = 0; i < 16; ++i) {
    const std::byte scale = (block[i] & std::byte{7}) | std::byte{8};
    block[i] = scale | (scale << 4);
  }
  store_f16(block + 80, d);
  store_f16(block + 82, load_f16(block + 80) * 1.5f);
}

/// Q4_K and Q5_K: every 32 weights have a scale of 32 to 63 and the same number for a minimum. Packed, 4 to 7 have their upper
/// two bits, which are 2 or 3, above those of 0 to 3.
template <int kCodes> void set_q4_k(std::byte* block, float d) {
  std::byte* scales = block + 4;
  for (int b = 0; b < 4; ++b) {
    const std::byte random = scales[b], low4 = scales[8 + b] & std::byte{15};
    scales[b] = scales[4 + b] = (random & std::byte{0x5f}) | std::byte{0xa0}; // 10 or 11, scale b: 1xxxxx
    scales[8 + b] = low4 | (low4 << 4);
  }
  store_f16(block, d);
  store_f16(block + 2, load_f16(block) * (static_cast<float>(kCodes - 1) / 2));
}

/// A kind of block with an f16 scale.
struct Recipe {
  void (*set)(std::byte* block, float d);
  double mean_square; ///< of the values of random blocks with d = 1
  bool signed_d;      ///< d has a random sign, since the codes lean to one side
};

constexpr double kSquares4 = 255.0 / 12, kSquares5 = 1023.0 / 12;          // variance of 16 and of 32 equally likely codes
constexpr double kSquares6Bit = 341.5, kSquares8Bit = 65535.0 / 12 + 0.25; // mean square of -32..31 and of -128..127
constexpr double kSquaresIq4 = 72768.0 / 16;                               // of the 16 values of IQ4_NL

Recipe recipe_of(TensorType type) {
  switch (type) {
    case TensorType::Q8_0: return {set_q8_0, 5397.5, false};
    case TensorType::Q4_0: return {set_d_first, kSquares4 + 0.25, true};
    case TensorType::Q5_0: return {set_d_first, kSquares5 + 0.25, true};
    case TensorType::Q4_1: return {set_d_and_m<16>, kSquares4, false};
    case TensorType::Q5_1: return {set_d_and_m<32>, kSquares5, false};
    case TensorType::Q2_K: return {set_q2_k, 137.5 * 1.25, false};
    case TensorType::Q3_K: return {set_d_q3_k, kSquares6Bit * 5.5, true};
    case TensorType::Q4_K: return {set_q4_k<16>, 2341.5 * kSquares4, false};
    case TensorType::Q5_K: return {set_q4_k<32>, 2341.5 * kSquares5, false};
    case TensorType::Q6_K: return {set_d_q6_k, kSquares8Bit * kSquares6Bit, true};
    case TensorType::IQ4_NL: return {set_d_first, kSquaresIq4, true};
    default: return {set_d_first, kSquares6Bit * kSquaresIq4, true}; // IQ4_XS
  }
}

/// The blocks' scales vary by a quarter up and down, as those of trained weights do by more.
void random_blocks(Stream& stream, const TypeInfo& type, const Recipe& recipe, double deviation, std::span<std::byte> row) {
  constexpr double kMeanSquareOfSpread = 1 + 1.0 / 48; // uniform on 0.75 .. 1.25
  const auto d = static_cast<float>(deviation / std::sqrt(recipe.mean_square * kMeanSquareOfSpread));
  const auto block_bytes = static_cast<std::size_t>(type.block_bytes);
  stream.fill(row.data(), row.size());
  for (std::size_t at = 0; at < row.size(); at += block_bytes) {
    const std::uint64_t bits = stream.next();
    const float spread = 0.75f + static_cast<float>(bits & 0xffff) * 0x1p-17f;
    const bool negative = recipe.signed_d && (bits >> 63) != 0;
    recipe.set(row.data() + at, negative ? -d * spread : d * spread);
  }
}

/// A scale of MXFP4 is a power of two: the two around the right one, in the proportion that gives the deviation.
void random_mxfp4(Stream& stream, double deviation, std::span<std::byte> row) {
  constexpr double kMeanSquare = 34.25; // of the 16 code values
  int exponent = 0;
  const double over = 2 * std::frexp(deviation / std::sqrt(kMeanSquare), &exponent); // 1 .. 2 times the lower power
  const double share = (over * over - 1) / 3;
  stream.fill(row.data(), row.size());
  for (std::size_t at = 0; at < row.size(); at += 17) {
    const bool upper = static_cast<double>(stream.next() >> 11) * 0x1p-53 < share;
    row[at] = static_cast<std::byte>(127 + exponent + (upper ? 1 : 0));
  }
}

/// 256 equidistant values about zero of this deviation, as F16 or BF16.
std::array<std::uint16_t, 256> half_values(TensorType type, double deviation) {
  const double step = deviation / std::sqrt(65535.0 / 12);
  std::array<std::uint16_t, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<float>((static_cast<double>(i) - 127.5) * step);
    values[i] = type == TensorType::F16 ? quant::f16_from_f32(value) : quant::bf16_from_f32(value);
  }
  return values;
}

void random_halves(Stream& stream, const std::array<std::uint16_t, 256>& values, std::span<std::byte> row) {
  std::uint64_t bits = 0;
  for (std::size_t at = 0; at < row.size(); at += 2, bits >>= 8) {
    if (at % 16 == 0) bits = stream.next();
    std::memcpy(row.data() + at, &values[bits & 0xff], 2);
  }
}

/// Floats from centre - 32767.5 step to centre + 32767.5 step.
void random_floats(Stream& stream, float centre, float step, std::span<std::byte> row) {
  std::uint64_t bits = 0;
  for (std::size_t at = 0; at < row.size(); at += 4, bits >>= 16) {
    if (at % 16 == 0) bits = stream.next();
    const float value = centre + (static_cast<float>(bits & 0xffff) - 32767.5f) * step;
    std::memcpy(row.data() + at, &value, 4);
  }
}

struct Reach {
  float centre, reach;
};
Reach range_of(const TensorDesc& tensor) {
  // a state keeps exp(softplus(dt) a) of itself: from 1 - 1/400 to 1/6 in a token
  if (tensor.role == Role::ssm_a) return {-8.5f, 7.5f};
  if (tensor.role == Role::ssm_dt || tensor.role == Role::rglru_a) return {-4.0f, 2.0f};
  if (tensor.form == Form::lanes) return {0.0f, 1 / std::sqrt(static_cast<float>(tensor.n_cols))}; // a convolution
  return tensor.form == Form::bias ? Reach{0.0f, 0.05f} : Reach{1.0f, 0.1f};
}

void random_vector(Stream& stream, const TensorDesc& tensor, std::span<std::byte> row) {
  if (!tensor.values.empty()) {
    std::memcpy(row.data(), tensor.values.data(), row.size());
    return;
  }
  const auto [centre, reach] = range_of(tensor);
  random_floats(stream, centre, reach / 32767.5f, row);
}

} // namespace

void random_rows(const TensorDesc& tensor, TensorType type, std::uint64_t seed, std::int64_t first_row, std::int64_t last_row,
                 std::byte* out) {
  const std::uint64_t tensor_seed = mix_bits(seed) ^ hash(tensor.name);
  const std::size_t stride = row_bytes(type, static_cast<std::size_t>(tensor.n_cols));
  const double deviation = 1 / std::sqrt(static_cast<double>(tensor.n_cols));
  const bool halves = type == TensorType::F16 || type == TensorType::BF16;
  const auto values = halves ? half_values(type, deviation) : std::array<std::uint16_t, 256>{};
  for (std::int64_t row = first_row; row < last_row; ++row, out += stride) {
    Stream stream(mix_bits(tensor_seed + static_cast<std::uint64_t>(row)));
    const std::span<std::byte> bytes(out, stride);
    if (!tensor.is_matrix()) random_vector(stream, tensor, bytes);
    else if (halves) random_halves(stream, values, bytes);
    else if (type == TensorType::F32)
      random_floats(stream, 0.0f, static_cast<float>(deviation / std::sqrt(65536.0 * 65536.0 / 12)), bytes);
    else if (type == TensorType::MXFP4) random_mxfp4(stream, deviation, bytes);
    else random_blocks(stream, type_info(type), recipe_of(type), deviation, bytes);
  }
}

} // namespace mote::weights

// The values of the kernels, against sums in double over what quant::dequantize says the weights are.
#include "tests/catch.h"
#include "tests/kernels/matrices.h"

using namespace kernel_tests;

namespace {

constexpr double kHalfUlp = 0x1p-24;

double act_value(const Inputs& in, int token, int col) {
  const ActBlock& a = in.act[to_size(token) * in.stride() + to_size(col / 256)];
  return static_cast<double>(a.scale[col % 256 / 32]) * a.q[col % 256];
}

/// The largest magnitude that a term of a row may have on its way: for weights with a minimum, scale * code and minimum apart.
std::vector<double> term_magnitudes(const Matrix& m, int row) {
  const auto weights = m.dequantized_row(row);
  std::vector<double> magnitudes(weights.begin(), weights.end());
  for (double& w : magnitudes) w = std::fabs(w);
  const ByteRange codes = code_bytes(m.type);
  if (codes.last == 0) return magnitudes;
  std::vector<float> limits[2];
  for (int i = 0; i < 2; ++i) { // every code 0; every code the largest
    std::vector<std::byte> bytes(m.row(row), m.row(row) + m.row_bytes());
    const auto block_bytes = to_size(mote::type_info(m.type).block_bytes);
    for (std::size_t at = 0; at < bytes.size(); at += block_bytes)
      std::memset(&bytes[at + to_size(codes.first)], i == 0 ? 0x00 : 0xff, to_size(codes.last - codes.first));
    limits[i].resize(weights.size());
    mote::quant::dequantize(m.type, bytes.data(), limits[i]);
  }
  for (std::size_t k = 0; k < magnitudes.size(); ++k)
    magnitudes[k] += 2.0 * std::fabs(limits[0][k]) + 2.0 * std::fabs(static_cast<double>(limits[1][k]) - limits[0][k]);
  return magnitudes;
}

/// Roundings that a term goes through at most: one for each addition after it, and a few for scales.
double roundings(const Matrix& m) {
  const int n_blocks = m.n_cols / mote::type_info(m.type).block_weights;
  if (is_float(m.type)) return 32 + 8 + m.n_cols / 256.0 + 1;
  return (mote::type_info(m.type).block_weights == 32 ? 2.0 * n_blocks : 2.0 * n_blocks + 20) + 3;
}

} // namespace

TEST_CASE("mul_mat: equals the sum in double within the rounding of its additions") {
  const auto scalar = tables()[0]; // the others have its bits
  Random random(5);
  for (const auto& info : mote::all_types()) {
    for (int n_cols : test_columns(info.type)) {
      const Matrix m(info.type, 37, n_cols, Weights::finite, random);
      const Inputs in(5, n_cols);
      in.fill(random);
      in.quantize(*scalar);
      const auto out = multiply_all(*scalar, m, in);
      for (int row = 0; row < m.n_rows; ++row) {
        const auto weights = m.dequantized_row(row);
        const auto magnitudes = term_magnitudes(m, row);
        for (int t = 0; t < in.n_tokens; ++t) {
          double sum = 0, magnitude = 0;
          for (int k = 0; k < n_cols; ++k) {
            const double a = is_float(m.type) ? static_cast<double>(in.token(t)[k]) : act_value(in, t, k);
            sum += weights[to_size(k)] * a;
            magnitude += magnitudes[to_size(k)] * std::fabs(a);
          }
          const double error = std::fabs(sum - static_cast<double>(out[to_size(t * m.n_rows + row)]));
          INFO(info.name << " columns " << n_cols << " row " << row << " token " << t << ": " << sum);
          REQUIRE(error <= roundings(m) * kHalfUlp * magnitude + 0x1p-130);
        }
      }
    }
  }
}

namespace {

constexpr int kOutlierBlock = 2; // columns 64 .. 95

/// Makes the weights of 32-block kOutlierBlock of each row zero: no scale, no minimum. (MXFP4: next to zero.)
void clear_outlier_block(TensorType type, std::vector<std::byte>& rows, std::size_t row_bytes) {
  const auto block_bytes = to_size(mote::type_info(type).block_bytes);
  for (std::size_t row = 0; row < rows.size(); row += row_bytes) {
    std::byte* b = &rows[row];
    switch (type) {
      case TensorType::Q4_K:
      case TensorType::Q5_K:
        b[4 + 2] &= std::byte{0xc0}; // S
        b[8 + 2] &= std::byte{0xc0}; // M
        break;
      case TensorType::Q2_K: b[4] = b[5] = std::byte{0}; break;
      case TensorType::Q6_K: b[192 + 4] = b[192 + 5] = std::byte{0}; break;
      case TensorType::Q3_K: // S = 32 in the 16-blocks 4 and 5: low bits 0, top bits 2
        for (std::size_t s : {4u, 5u}) {
          b[96 + s] &= std::byte{0xf0};
          b[104 + s % 4] = (b[104 + s % 4] & std::byte{0xf3}) | std::byte{0x08};
        }
        break;
      case TensorType::IQ4_XS: // L = 32
        b[4 + 1] &= std::byte{0xf0};
        b[2] = (b[2] & std::byte{0xcf}) | std::byte{0x20};
        break;
      default: std::memset(b + kOutlierBlock * block_bytes, 0, block_bytes);
    }
  }
}

} // namespace

// One activation far larger than the rest: its own 32 columns lose the small ones, which is what a scale per 32 means, but no
// other columns may. The weights that meet those 32 columns are zero here, so that what is left is the others' error.
TEST_CASE("mul_mat: an outlier among the activations costs no other block its accuracy") {
  const auto scalar = tables()[0];
  Random random(6);
  for (const auto& info : mote::all_types()) {
    if (is_float(info.type)) continue;
    for (float outlier : {1e3f, -1e6f, 1e12f}) {
      const int n_rows = 20, n_cols = 512;
      auto rows = make_rows(info.type, n_rows, n_cols, Weights::finite, random);
      clear_outlier_block(info.type, rows, mote::row_bytes(info.type, n_cols));
      const Matrix m(info.type, n_rows, n_cols, rows);
      const Inputs in(1, n_cols);
      for (int k = 0; k < n_cols; ++k) in.x[to_size(k)] = random.unit();
      in.x[32 * kOutlierBlock + 13] = outlier;
      in.quantize(*scalar);
      const auto out = multiply_all(*scalar, m, in);
      for (int row = 0; row < n_rows; ++row) {
        const auto weights = m.dequantized_row(row);
        const auto magnitudes = term_magnitudes(m, row);
        double sum = 0, bound = 0;
        for (int k = 0; k < n_cols; ++k) {
          const double w = static_cast<double>(weights[to_size(k)]), x = static_cast<double>(in.x[to_size(k)]);
          if (k / 32 == kOutlierBlock) {
            REQUIRE(std::fabs(w) <= (info.type == TensorType::MXFP4 ? 0x1p-120 : 0));
            continue;
          }
          const double a = act_value(in, 0, k);
          sum += w * x;
          bound += std::fabs(w) * std::fabs(x - a) + roundings(m) * kHalfUlp * magnitudes[to_size(k)] * std::fabs(a);
        }
        INFO(info.name << " outlier " << outlier << " row " << row << ": " << sum);
        REQUIRE(std::fabs(sum - static_cast<double>(out[to_size(row)])) <= bound * (1 + 1e-9));
      }
    }
  }
}

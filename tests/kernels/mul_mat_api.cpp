// The public functions around the kernels: what they compute, and that nothing wrong gets past them.
#include "mote/kernels.h"
#include "tests/catch.h"
#include "tests/kernels/matrices.h"

using namespace kernel_tests;
using mote::Activations;
using mote::ErrorCode;
using mote::PackedMatrix;

TEST_CASE("kernel API: pack, quantize and mul_mat give the kernels' results on every ISA") {
  const int n_tokens = GENERATE(7, 14); // tiles of four, two and one; and enough to unpack a panel once for all
  Random random(13);
  const auto scalar = tables()[0];
  for (const auto& info : mote::all_types()) {
    const int n_cols = test_columns(info.type)[1], n_rows = 21;
    const Matrix m(info.type, n_rows, n_cols, Weights::finite, random);
    const Inputs in(n_tokens, n_cols);
    in.fill(random);
    in.quantize(*scalar);
    const auto expected = multiply_all(*scalar, m, in);

    const auto packed = PackedMatrix::pack(info.type, m.rows, n_rows, n_cols);
    REQUIRE(packed);
    REQUIRE(packed->type() == info.type);
    REQUIRE(packed->n_rows() == n_rows);
    REQUIRE(packed->n_cols() == n_cols);
    REQUIRE(packed->panels().size() == m.panels.size());
    REQUIRE(std::memcmp(packed->panels().data(), m.panels.data(), m.panels.size()) == 0);
    REQUIRE(reinterpret_cast<std::uintptr_t>(packed->panels().data()) % 64 == 0);
    for (Isa isa : mote::all_isas()) {
      if (!mote::isa_available(isa)) continue;
      const auto x = Activations::quantize(isa, {in.x.data(), in.x.size()}, n_tokens, n_cols);
      REQUIRE(x);
      REQUIRE(x->n_tokens() == n_tokens);
      REQUIRE(x->n_cols() == n_cols);
      const std::size_t stride = 30;
      const Exact<float> out((n_tokens - 1) * stride + n_rows, 7.0f);
      REQUIRE(mote::mul_mat(isa, *packed, *x, {out.data(), out.size()}, stride));
      for (int t = 0; t < n_tokens; ++t)
        REQUIRE(std::memcmp(&out[t * stride], &expected[t * n_rows], n_rows * sizeof(float)) == 0);
      REQUIRE(out[n_rows] == 7.0f);

      const Exact<float> halves((n_tokens - 1) * stride + n_rows, 7.0f);
      const auto call = mote::PreparedMulMat::prepare(isa, *packed, *x, {halves.data(), halves.size()}, stride,
                                                      mote::WeightsIn::cache); // mul_mat() takes them to be in memory
      REQUIRE(call);
      REQUIRE(call->n_panels() == 2);
      call->run(1, 2);
      REQUIRE(halves[0] == 7.0f);
      call->run(0, 1);
      REQUIRE(std::memcmp(halves.data(), out.data(), out.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("kernel API: a packed matrix and activations outlive what they were made from, and their copies each other") {
  std::vector<float> floats(64, 1.0f);
  auto packed = PackedMatrix::pack(TensorType::F32, std::as_bytes(std::span(floats)), 2, 32);
  auto x = Activations::quantize(Isa::scalar, std::span(floats).first(32), 1, 32);
  std::fill(floats.begin(), floats.end(), 9.0f);
  const PackedMatrix copy = *packed;
  const Activations copied = *x;
  std::vector<float> prepared(2);
  const auto call = mote::PreparedMulMat::prepare(Isa::scalar, *packed, *x, prepared, 2);
  REQUIRE(call);
  packed = mote::Error{};
  x = mote::Error{};
  std::vector<float> out(2);
  REQUIRE(mote::mul_mat(Isa::scalar, copy, copied, out, 2));
  REQUIRE(out == std::vector<float>{32, 32});
  call->run(0, 1);
  REQUIRE(prepared == out);
}

TEST_CASE("kernel API: sizes that do not fit together are refused with both of them named") {
  const std::vector<std::byte> rows(10 * 144);
  const auto refused = [](const auto& result, std::initializer_list<const char*> words) {
    REQUIRE_FALSE(result);
    REQUIRE(result.error().code == ErrorCode::invalid_argument);
    for (const char* word : words) {
      INFO(result.error().message << ": " << word);
      REQUIRE(result.error().message.find(word) != std::string::npos);
    }
  };
  REQUIRE(PackedMatrix::pack(TensorType::Q4_K, rows, 10, 256));
  refused(PackedMatrix::pack(TensorType::Q4_K, rows, 9, 256), {"Q4_K", "1440", "144"});
  refused(PackedMatrix::pack(TensorType::Q4_K, rows, 11, 256), {"Q4_K", "1440"});
  refused(PackedMatrix::pack(TensorType::Q4_K, rows, 10, 255), {"255", "256"});
  refused(PackedMatrix::pack(TensorType::Q4_K, rows, 0, 256), {"0"});
  refused(PackedMatrix::pack(TensorType::Q4_K, rows, 10, 0), {"0"});
  refused(PackedMatrix::pack(TensorType::Q4_K, rows, -10, -256), {"-10"});
  refused(PackedMatrix::pack(TensorType::Q4_K, {}, 2147483647, 2147483392), {"2147483392"});
  refused(PackedMatrix::pack(TensorType::F32, {}, 2147483000, 1 << 30), {"F32", "found 0 bytes"});

  const std::vector<float> floats(96, 0.5f);
  REQUIRE(Activations::quantize(Isa::scalar, floats, 3, 32));
  refused(Activations::quantize(Isa::scalar, floats, 2, 32), {"2", "32", "96"});
  refused(Activations::quantize(Isa::scalar, floats, 0, 32), {"0"});
  refused(Activations::quantize(Isa::scalar, floats, -3, -32), {"-3"});
  refused(Activations::quantize(Isa::scalar, {}, 0, 0), {"0"});

  const auto weights = PackedMatrix::pack(TensorType::F32, std::as_bytes(std::span(floats)), 3, 32);
  const auto x = Activations::quantize(Isa::scalar, floats, 3, 32);
  const auto narrow = Activations::quantize(Isa::scalar, floats, 2, 48);
  REQUIRE(weights);
  REQUIRE(x);
  REQUIRE(narrow);
  std::vector<float> out(9);
  REQUIRE(mote::mul_mat(Isa::scalar, *weights, *x, out, 3));
  REQUIRE(mote::mul_mat(Isa::scalar, *weights, *x, std::span(out).first(9), 3));
  refused(mote::mul_mat(Isa::scalar, *weights, *narrow, out, 3), {"32", "48"});
  refused(mote::mul_mat(Isa::scalar, *weights, *x, std::span(out).first(8), 3), {"3", "8"});
  refused(mote::mul_mat(Isa::scalar, *weights, *x, out, 2), {"2"});
  refused(mote::mul_mat(Isa::scalar, *weights, *x, out, 4), {"4"});
  refused(mote::mul_mat(Isa::scalar, *weights, *x, out, ~std::size_t{0} / 2), {"3"});
}

TEST_CASE("kernel API: an ISA that cannot run here is an error, not a crash") {
  const std::vector<float> floats(32, 0.5f);
  const auto weights = PackedMatrix::pack(TensorType::F32, std::as_bytes(std::span(floats)), 1, 32);
  const auto x = Activations::quantize(Isa::scalar, floats, 1, 32);
  std::vector<float> out(1);
  for (Isa isa : {Isa::avx2, Isa::avx512, static_cast<Isa>(77)}) {
    if (mote::isa_available(isa)) continue;
    const auto quantized = Activations::quantize(isa, floats, 1, 32);
    REQUIRE_FALSE(quantized);
    REQUIRE(quantized.error().code == ErrorCode::unsupported);
    const auto status = mote::mul_mat(isa, *weights, *x, out, 1);
    REQUIRE_FALSE(status);
    REQUIRE(status.error().code == ErrorCode::unsupported);
  }
}

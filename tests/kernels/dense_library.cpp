// Prompts and dense weights through another library, in a build with MOTE_WITH_OPENBLAS or MOTE_WITH_XNNPACK.
#include "kernels/dense_library.h"

#include "mote/kernels.h"
#include "tests/catch.h"
#include "tests/kernels/matrices.h"

using namespace kernel_tests;

TEST_CASE("dense library: its products are ours within a bound and few tokens stay with us") {
  if (mote::dense_library().empty()) {
    std::printf("SKIPPED: a build without MOTE_WITH_OPENBLAS and MOTE_WITH_XNNPACK\n");
    return;
  }
  Random random(5);
  const KernelTable& own = mote::kernels::kScalarKernels;
  const KernelTable& library = *mote::kernels::with_dense_library(&own);
  for (const TensorType type : {TensorType::F32, TensorType::F16, TensorType::BF16}) {
    for (const int n_rows : {1, 16, 64, 67, 133}) {
      for (const int n_cols : {1, 31, 256, 701}) {
        const Matrix m(type, n_rows, n_cols, Weights::finite, random);
        const Inputs in(40, n_cols);
        in.fill(random);
        in.quantize(own);
        INFO(name_of(library, m));
        const std::vector<float> expected = multiply_all(own, m, in), found = multiply_all(library, m, in);
        float largest = 0;
        for (const float x : expected) largest = std::max(largest, std::abs(x));
        for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(std::abs(found[i] - expected[i]) <= 1e-5f * largest);

        const int first = m.n_panels() / 2; // some of the panels: nothing else is touched
        const Exact<float> part(40 * to_size(n_rows), 7.0f);
        multiply(library, m, in, 0, 40, first, m.n_panels(), part.data(), to_size(n_rows));
        for (std::size_t i = 0; i < part.size(); ++i) {
          const bool computed = static_cast<int>(i) % n_rows >= 16 * first;
          REQUIRE((computed ? std::abs(part[i] - expected[i]) <= 1e-5f * largest : part[i] == 7.0f));
        }
        std::vector<float> few(to_size(n_rows * (mote::kernels::kDenseLibraryTokens - 1)));
        multiply(library, m, in, 0, mote::kernels::kDenseLibraryTokens - 1, 0, m.n_panels(), few.data(), to_size(n_rows));
        REQUIRE(std::memcmp(few.data(), expected.data(), few.size() * sizeof(float)) == 0);
      }
    }
  }
}

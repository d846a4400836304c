#include "kernels/dense_library.h"

#include "mote/kernels.h"

#if defined(MOTE_WITH_OPENBLAS)
#include <cblas.h>
#elif defined(MOTE_WITH_XNNPACK)
#include <xnnpack.h>
#endif

#if !defined(MOTE_WITH_OPENBLAS) && !defined(MOTE_WITH_XNNPACK)

namespace mote {
std::string_view dense_library() noexcept { return {}; }
namespace kernels {
const KernelTable* with_dense_library(const KernelTable* own) { return own; }
} // namespace kernels
} // namespace mote

#else

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "kernels/pack.h"
#include "quant/quant.h"

namespace mote {
namespace kernels {
namespace {

/// Without a branch, so that the loop becomes vector instructions.
float float_of_f16(std::uint16_t h) {
  const auto magnitude = static_cast<std::uint32_t>(h & 0x7fff) << 13, sign = static_cast<std::uint32_t>(h & 0x8000) << 16;
  const auto special = static_cast<std::uint32_t>(-(magnitude >= 0x0f800000)) & 0x7f800000; // infinity or NaN
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f) | special | sign);
}
float float_of_bf16(std::uint16_t h) { return std::bit_cast<float>(static_cast<std::uint32_t>(h) << 16); }

constexpr int kSlabPanels = 4, kSlabRows = kSlabPanels * kPanelRows;

/// A few panels' weights as floats, [n_cols, n_rows], row-major: columns first_col .. first_col + n_cols - 1.
struct Slab {
  int first_row, n_rows, first_col, n_cols;
};

template <TensorType kType> void unpack(const MulMatArgs& args, const Slab& slab, float* weights) {
  constexpr std::size_t kBytes = kType == TensorType::F32 ? 4 : 2;
  const std::size_t panel_size = panel_bytes(kType, args.n_cols), n_rows = static_cast<std::size_t>(slab.n_rows);
  for (std::size_t row = 0; row < n_rows; row += kPanelRows) {
    const std::size_t panel = (static_cast<std::size_t>(slab.first_row) + row) / kPanelRows, n = std::min<std::size_t>(kPanelRows, n_rows - row);
    const std::uint8_t* column = args.panels + panel * panel_size + static_cast<std::size_t>(slab.first_col) * kPanelRows * kBytes;
    float* out = weights + row;
    for (int col = 0; col < slab.n_cols; ++col, column += kPanelRows * kBytes, out += n_rows) {
      float sixteen[kPanelRows];
      if constexpr (kType == TensorType::F32) {
        std::memcpy(sixteen, column, sizeof sixteen);
      } else {
        std::uint16_t halves[kPanelRows];
        std::memcpy(halves, column, sizeof halves);
        for (int i = 0; i < kPanelRows; ++i)
          sixteen[i] = kType == TensorType::F16 ? float_of_f16(halves[i]) : float_of_bf16(halves[i]);
      }
      std::memcpy(out, sixteen, n * sizeof(float));
    }
  }
}

/// Calls multiply(slab) for the rows of the call, a slab of columns [0, n_cols) at a time.
template <class Fn> bool each_slab(const MulMatArgs& args, Fn multiply) {
  const int last_row = std::min(args.n_rows, args.last_panel * kPanelRows);
  for (int row = args.first_panel * kPanelRows; row < last_row; row += kSlabRows)
    if (!multiply(Slab{row, std::min(kSlabRows, last_row - row), 0, args.n_cols})) return false;
  return true;
}

#if defined(MOTE_WITH_OPENBLAS)

void start_library() { openblas_set_num_threads(1); }

template <TensorType kType> bool multiply_by_library(const MulMatArgs& args) {
  constexpr int kSlabCols = 256;
  float weights[kSlabCols * kSlabRows]; // 64 KB; in the second-level cache until it is used
  return each_slab(args, [&](Slab slab) {
    for (; slab.first_col < args.n_cols; slab.first_col += kSlabCols) {
      slab.n_cols = std::min(kSlabCols, args.n_cols - slab.first_col);
      unpack<kType>(args, slab, weights);
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, args.n_tokens, slab.n_rows, slab.n_cols, 1, args.x + slab.first_col,
                  static_cast<int>(args.x_stride), weights, slab.n_rows, slab.first_col > 0 ? 1 : 0, args.out + slab.first_row,
                  static_cast<int>(args.out_stride));
    }
    return true;
  });
}

#else

void start_library() { xnn_initialize(nullptr); } // where it fails, so does making an operator

/// An operator owns a packed copy of its weights: it is made for a slab, used for all tokens and dropped.
template <TensorType kType> bool multiply_by_library(const MulMatArgs& args) {
  const auto n_cols = static_cast<std::size_t>(args.n_cols);
  const std::unique_ptr<float[]> weights(new (std::nothrow) float[n_cols * kSlabRows]);
  return weights && each_slab(args, [&](const Slab& slab) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    unpack<kType>(args, slab, weights.get());
    xnn_operator_t op = nullptr;
    bool good = xnn_create_fully_connected_nc_f32(n_cols, static_cast<std::size_t>(slab.n_rows), args.x_stride, args.out_stride,
                                                  weights.get(), nullptr, -kInfinity, kInfinity, XNN_FLAG_TRANSPOSE_WEIGHTS,
                                                  &op) == xnn_status_success;
    good = good && xnn_setup_fully_connected_nc_f32(op, static_cast<std::size_t>(args.n_tokens), args.x,
                                                    args.out + slab.first_row, nullptr) == xnn_status_success;
    good = good && xnn_run_operator(op, nullptr) == xnn_status_success;
    if (op != nullptr) xnn_delete_operator(op);
    return good;
  });
}

#endif

template <const KernelTable& kOwn, TensorType kType> void multiply(const MulMatArgs& args) {
  const auto own = kOwn.mul_mat[quant::type_index(kType)];
  if (args.n_tokens < kDenseLibraryTokens) return own(args);
#if defined(MOTE_WITH_XNNPACK)
  // XNNPACK reads up to XNN_EXTRA_BYTES behind the last token that it multiplies: that one is ours.
  MulMatArgs before = args, last = args;
  before.n_tokens = args.n_tokens - 1;
  last.n_tokens = 1;
  last.x += static_cast<std::size_t>(before.n_tokens) * args.x_stride;
  last.out += static_cast<std::size_t>(before.n_tokens) * args.out_stride;
  if (multiply_by_library<kType>(before)) return own(last);
#else
  if (multiply_by_library<kType>(args)) return;
#endif
  own(args); // no memory for the library
}

template <const KernelTable& kOwn> const KernelTable* wrapped() {
  static const KernelTable table = [] {
    start_library();
    KernelTable t = kOwn;
    t.mul_mat[quant::type_index(TensorType::F32)] = multiply<kOwn, TensorType::F32>;
    t.mul_mat[quant::type_index(TensorType::F16)] = multiply<kOwn, TensorType::F16>;
    t.mul_mat[quant::type_index(TensorType::BF16)] = multiply<kOwn, TensorType::BF16>;
    return t;
  }();
  return &table;
}

} // namespace

const KernelTable* with_dense_library(const KernelTable* own) {
#ifdef MOTE_HAVE_X86
  if (own == &kAvx2Kernels) return wrapped<kAvx2Kernels>();
  if (own == &kAvxVnniKernels) return wrapped<kAvxVnniKernels>();
  if (own == &kAvx512Kernels) return wrapped<kAvx512Kernels>();
#endif
#ifdef MOTE_HAVE_ARM
  if (own == &kNeonKernels) return wrapped<kNeonKernels>();
  if (own == &kNeonDotprodKernels) return wrapped<kNeonDotprodKernels>();
  if (own == &kNeonI8mmKernels) return wrapped<kNeonI8mmKernels>();
#endif
  return wrapped<kScalarKernels>();
}

} // namespace kernels

std::string_view dense_library() noexcept {
#if defined(MOTE_WITH_OPENBLAS)
  return "OpenBLAS";
#else
  return "XNNPACK";
#endif
}

} // namespace mote

#endif

#include <sys/mman.h>

#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <string>

#include "kernels/dispatch.h"
#include "kernels/pack.h"
#include "mote/kernels.h"
#include "quant/quant.h"

namespace mote {
namespace {

using kernels::ActBlock;

constexpr int kMaxCols = 1 << 30; // so that counting in int beyond the last column is safe
constexpr int kMaxRows = std::numeric_limits<int>::max() - kernels::kPanelRows;

/// n_bytes of 64-byte aligned memory, in huge pages if it is that large; null when it cannot be had.
std::shared_ptr<std::byte> allocate(std::size_t n_bytes) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const std::align_val_t alignment{n_bytes < kHugePage ? 64 : kHugePage};
  auto* memory = static_cast<std::byte*>(::operator new(n_bytes, alignment, std::nothrow));
  if (memory == nullptr) return nullptr;
#ifdef MADV_HUGEPAGE
  if (n_bytes >= kHugePage) madvise(memory, n_bytes, MADV_HUGEPAGE); // where it is refused, small pages do
#endif
  return {memory, [alignment](std::byte* p) { ::operator delete(p, alignment); }};
}

Error invalid(std::string message) { return {ErrorCode::invalid_argument, std::move(message)}; }

Error out_of_memory(const char* what, std::size_t n_bytes) {
  return {ErrorCode::out_of_memory, std::string(what) + ": no memory for " + std::to_string(n_bytes) + " bytes"};
}

/// n * size, or nothing when that is too much.
std::optional<std::size_t> times(std::size_t n, std::size_t size) noexcept {
  if (size != 0 && n > std::numeric_limits<std::size_t>::max() / 2 / size) return std::nullopt;
  return n * size;
}

} // namespace

Result<PackedMatrix> PackedMatrix::pack(TensorType type, std::span<const std::byte> rows, int n_rows, int n_cols) try {
  const TypeInfo& info = type_info(type);
  const std::string name(info.name);
  if (n_rows < 1 || n_cols < 1 || n_rows > kMaxRows || n_cols > kMaxCols)
    return invalid("pack " + name + ": expected 1.." + std::to_string(kMaxRows) + " rows of 1.." + std::to_string(kMaxCols) +
                   " columns, found " + std::to_string(n_rows) + " rows of " + std::to_string(n_cols));
  if (n_cols % info.block_weights != 0)
    return invalid("pack " + name + ": expected columns in multiples of " + std::to_string(info.block_weights) + ", found " +
                   std::to_string(n_cols));
  const std::size_t row = row_bytes(type, static_cast<std::size_t>(n_cols));
  const auto expected = times(static_cast<std::size_t>(n_rows), row);
  if (expected != rows.size())
    return invalid("pack " + name + ": expected " + std::to_string(n_rows) + " rows (" + std::to_string(n_cols) +
                   " columns) of " + std::to_string(row) + " bytes, found " + std::to_string(rows.size()) + " bytes in all");

  const std::size_t panel = kernels::panel_bytes(type, n_cols);
  const int n_panels = kernels::panel_count(n_rows);
  const std::size_t n_bytes = panel * static_cast<std::size_t>(n_panels);
  const auto memory = allocate(n_bytes);
  if (!memory) return out_of_memory("pack", n_bytes);
  for (int p = 0; p < n_panels; ++p) {
    const int first_row = p * kernels::kPanelRows;
    const int count = n_rows - first_row < kernels::kPanelRows ? n_rows - first_row : kernels::kPanelRows;
    kernels::pack_panel(type, rows.data() + static_cast<std::size_t>(first_row) * row, count, n_cols,
                        memory.get() + static_cast<std::size_t>(p) * panel);
  }
  PackedMatrix matrix;
  matrix.type_ = type;
  matrix.n_rows_ = n_rows;
  matrix.n_cols_ = n_cols;
  matrix.panels_ = {memory.get(), n_bytes};
  matrix.owner_ = memory;
  return matrix;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::out_of_memory, "out of memory"};
}

Result<Activations> Activations::quantize(Isa isa, std::span<const float> x, int n_tokens, int n_cols) try {
  const auto table = kernels::kernels_for(isa);
  if (!table) return table.error();
  const bool sound = n_tokens >= 1 && n_cols >= 1 && n_cols <= kMaxCols;
  const auto n_floats = !sound ? std::nullopt : times(static_cast<std::size_t>(n_tokens), static_cast<std::size_t>(n_cols));
  if (n_floats != x.size())
    return invalid("quantize: expected " + std::to_string(n_tokens) + " tokens of " + std::to_string(n_cols) + " values, found " +
                   std::to_string(x.size()) + " values");

  Activations activations;
  activations.n_tokens_ = n_tokens;
  activations.n_cols_ = n_cols;
  const auto floats = allocate(x.size_bytes());
  if (!floats) return out_of_memory("quantize", x.size_bytes());
  std::memcpy(floats.get(), x.data(), x.size_bytes());
  activations.floats_ = floats;
  if (n_cols % 32 == 0) {
    const std::size_t stride = static_cast<std::size_t>(kernels::act_blocks(n_cols));
    const std::size_t n_bytes = stride * static_cast<std::size_t>(n_tokens) * sizeof(ActBlock);
    const auto memory = allocate(n_bytes);
    if (!memory) return out_of_memory("quantize", n_bytes);
    auto* blocks = reinterpret_cast<ActBlock*>(memory.get());
    for (std::size_t t = 0; t < static_cast<std::size_t>(n_tokens); ++t)
      (*table)->quantize_row(x.data() + t * static_cast<std::size_t>(n_cols), 0, n_cols, blocks + t * stride);
    activations.blocks_ = memory;
  }
  return activations;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::out_of_memory, "out of memory"};
}

struct PreparedMulMat::Call {
  PackedMatrix weights;
  Activations activations;
  void (*kernel)(const kernels::MulMatArgs&);
  kernels::MulMatArgs args;
};

Result<PreparedMulMat> PreparedMulMat::prepare(Isa isa, const PackedMatrix& weights, const Activations& activations,
                                               std::span<float> out, std::size_t out_stride, WeightsIn weights_in) try {
  const auto table = kernels::kernels_for(isa);
  if (!table) return table.error();
  if (weights.n_cols() != activations.n_cols())
    return invalid("mul_mat: weights of " + std::to_string(weights.n_cols()) + " columns meet activations of " +
                   std::to_string(activations.n_cols()));
  const std::size_t n_rows = static_cast<std::size_t>(weights.n_rows());
  const auto before_last = times(static_cast<std::size_t>(activations.n_tokens()) - 1, out_stride);
  if (out_stride < n_rows || !before_last || out.size() < *before_last + n_rows)
    return invalid("mul_mat: " + std::to_string(activations.n_tokens()) + " tokens of " + std::to_string(n_rows) +
                   " outputs do not fit " + std::to_string(out.size()) + " values with a stride of " +
                   std::to_string(out_stride));

  kernels::MulMatArgs args{};
  args.panels = reinterpret_cast<const std::uint8_t*>(weights.panels().data());
  args.n_rows = weights.n_rows();
  args.n_cols = weights.n_cols();
  args.last_panel = kernels::panel_count(weights.n_rows());
  args.n_tokens = activations.n_tokens();
  args.act = static_cast<const ActBlock*>(activations.blocks_.get());
  args.act_stride = static_cast<std::size_t>(kernels::act_blocks(weights.n_cols()));
  args.x = static_cast<const float*>(activations.floats_.get());
  args.x_stride = static_cast<std::size_t>(weights.n_cols());
  args.out = out.data();
  args.out_stride = out_stride;
  args.in_cache = weights_in == WeightsIn::cache;
  const auto kernel = (*table)->mul_mat[quant::type_index(weights.type())];
  return PreparedMulMat(std::make_shared<const Call>(Call{weights, activations, kernel, args}));
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::out_of_memory, "out of memory"};
}

int PreparedMulMat::n_panels() const noexcept { return call_->args.last_panel; }

void PreparedMulMat::run(int first, int last) const noexcept {
  kernels::MulMatArgs args = call_->args;
  args.first_panel = first;
  args.last_panel = last;
  call_->kernel(args);
}

Status mul_mat(Isa isa, const PackedMatrix& weights, const Activations& activations, std::span<float> out,
               std::size_t out_stride) {
  const auto call = PreparedMulMat::prepare(isa, weights, activations, out, out_stride);
  if (!call) return call.error();
  call->run(0, call->n_panels());
  return {};
}

} // namespace mote

#include "mote/quantize.h"

#include <algorithm>
#include <atomic>

#include "lib/api/guard.h"
#include "lib/api/pool.h"
#include "lib/gguf/file.h"
#include "lib/gguf/writer.h"
#include "lib/hf/open.h"
#include "lib/spec/read_spec.h"
#include "lib/weights/file_type.h"
#include "lib/weights/latent.h"
#include "lib/weights/sources.h"
#include "quant/quant.h"

namespace mote {

namespace {

/// Rows of one tensor on their way from one type to another.
struct Conversion {
  TensorType from, to;
  std::size_t n_cols;
  const std::byte* in;
  std::byte* out;
  std::int64_t n_rows;
  std::vector<std::vector<float>> rows; ///< one per thread
  std::atomic<std::int64_t> next{0};
};

void convert_rows(void* context, int thread) {
  Conversion& c = *static_cast<Conversion*>(context);
  std::vector<float>& row = c.rows[static_cast<std::size_t>(thread)];
  const std::size_t in_bytes = row_bytes(c.from, c.n_cols), out_bytes = row_bytes(c.to, c.n_cols);
  for (std::int64_t i; (i = c.next.fetch_add(1, std::memory_order_relaxed)) < c.n_rows;) {
    const auto at = static_cast<std::size_t>(i);
    quant::dequantize(c.from, c.in + at * in_bytes, row);
    quant::quantize(c.to, row, c.out + at * out_bytes);
  }
}

class Quantizer {
 public:
  Quantizer(gguf::File& file, gguf::Writer& writer, runtime::ThreadPool& pool, const QuantizeOptions& options)
      : file_(file), writer_(writer), pool_(pool), options_(options) {}

  Status run() {
    const auto spec = spec::read_spec(file_);
    if (!spec) return spec.error();
    weights::split_kv_b(file_, *spec);
    const auto tensors = weights::list_tensors(*spec);
    if (const auto checked = weights::check_tensors(file_, tensors); !checked) return checked.error();
    const auto types = weights::choose_types(tensors, *spec, options_.mix);
    for (const std::string_view key : file_.keys())
      if (!key.starts_with("split.") && key != "general.file_type" && key != "general.quantization_version")
        writer_.copy(file_, key);
    writer_.set_u32("general.file_type", weights::file_type_id(options_.mix));
    writer_.set_u32("general.quantization_version", 2);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const gguf::Tensor& tensor = *file_.find_tensor(tensors[i].name);
      writer_.add_tensor(tensor.name, types[i], {tensor.dims.data(), static_cast<std::size_t>(tensor.n_dims)});
      weights_left_ += tensor.n_cols() * tensor.n_rows();
    }
    n_weights_ = weights_left_;
    if (Status status = writer_.begin(); !status) return status;
    for (std::size_t i = 0; i < tensors.size(); ++i)
      if (Status status = convert(*file_.find_tensor(tensors[i].name), types[i]); !status) return status;
    return writer_.finish();
  }

 private:
  Status convert(const gguf::Tensor& tensor, TensorType type) {
    constexpr std::int64_t kWeightsAtOnce = 8 << 20;
    const std::int64_t step = std::max<std::int64_t>(1, kWeightsAtOnce / std::max<std::int64_t>(1, tensor.n_cols()));
    const auto n_cols = static_cast<std::size_t>(tensor.n_cols());
    const std::size_t in_bytes = row_bytes(tensor.type, n_cols), out_bytes = row_bytes(type, n_cols);
    std::vector<std::byte> in, out;
    for (std::int64_t row = 0; row < tensor.n_rows(); row += step) {
      const std::int64_t n_rows = std::min(step, tensor.n_rows() - row);
      if (tensor.maker) in.resize(static_cast<std::size_t>(n_rows) * in_bytes);
      std::span<const std::byte> data(tensor.rows(row, row + n_rows, in.data()), static_cast<std::size_t>(n_rows) * in_bytes);
      if (tensor.type != type) {
        out.resize(static_cast<std::size_t>(n_rows) * out_bytes);
        Conversion conversion{tensor.type, type, n_cols, data.data(), out.data(), n_rows, {}, 0};
        conversion.rows.assign(static_cast<std::size_t>(pool_.size()), std::vector<float>(n_cols));
        pool_.run(convert_rows, &conversion);
        data = out;
      }
      if (Status status = writer_.write(data); !status) return status;
      weights_left_ -= n_rows * tensor.n_cols();
      if (options_.progress && !options_.progress(1 - static_cast<double>(weights_left_) / static_cast<double>(n_weights_)))
        return Error{ErrorCode::cancelled, "quantizing was cancelled"};
    }
    file_.release_rows(tensor, 0, tensor.n_rows());
    return {};
  }

  gguf::File& file_;
  gguf::Writer& writer_;
  runtime::ThreadPool& pool_;
  const QuantizeOptions& options_;
  std::int64_t n_weights_ = 0, weights_left_ = 0;
};

} // namespace

Status quantize_file(const std::string& in_path, const std::string& out_path, const QuantizeOptions& options) {
  return api::guard([&]() -> Status {
    auto pool = api::make_pool(options.n_threads);
    if (!pool) return std::move(pool).error();
    auto file = hf::open(in_path);
    if (!file) return std::move(file).error();
    if (file->is_made_of(out_path)) return Error{ErrorCode::invalid_argument, out_path + ": the output would replace the input"};
    gguf::Writer writer(out_path);
    return Quantizer(*file, writer, **pool, options).run();
  });
}

} // namespace mote

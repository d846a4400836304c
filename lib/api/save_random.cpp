#include <algorithm>
#include <atomic>

#include "lib/api/guard.h"
#include "lib/api/pool.h"
#include "lib/spec/write_spec.h"
#include "lib/text/made_up_vocabulary.h"
#include "lib/weights/file_type.h"
#include "lib/weights/sources.h"
#include "mote/quantize.h"

namespace mote {

namespace {

/// Rows of one tensor that the threads fill.
struct Filling {
  const weights::RandomSource& source;
  std::size_t tensor, row_bytes;
  std::int64_t first, last;
  std::byte* out;
  std::atomic<std::int64_t> next{0};
};

void fill_rows(void* context, int) {
  constexpr std::int64_t kRowsAtOnce = 16;
  Filling& f = *static_cast<Filling*>(context);
  for (std::int64_t at; (at = f.next.fetch_add(kRowsAtOnce, std::memory_order_relaxed)) < f.last - f.first;) {
    const std::int64_t row = f.first + at;
    f.source.rows(f.tensor, row, std::min(row + kRowsAtOnce, f.last), f.out + static_cast<std::size_t>(at) * f.row_bytes);
  }
}

Status write_weights(std::span<const weights::TensorDesc> tensors, std::span<const TensorType> types, std::uint64_t seed,
                     runtime::ThreadPool& pool, gguf::Writer& writer, const QuantizeOptions& options) {
  constexpr std::size_t kBytesAtOnce = 8 << 20;
  const weights::RandomSource source(tensors, types, seed);
  std::size_t n_bytes = 0, n_written = 0;
  const auto stride = [&](std::size_t i) { return row_bytes(types[i], static_cast<std::size_t>(tensors[i].n_cols)); };
  for (std::size_t i = 0; i < tensors.size(); ++i) n_bytes += static_cast<std::size_t>(tensors[i].n_rows) * stride(i);
  std::vector<std::byte> rows;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto step = static_cast<std::int64_t>(std::max<std::size_t>(1, kBytesAtOnce / stride(i)));
    for (std::int64_t row = 0; row < tensors[i].n_rows; row += step) {
      const std::int64_t last = std::min(row + step, tensors[i].n_rows);
      rows.resize(static_cast<std::size_t>(last - row) * stride(i));
      Filling filling{source, i, stride(i), row, last, rows.data(), 0};
      pool.run(fill_rows, &filling);
      if (Status status = writer.write(rows); !status) return status;
      n_written += rows.size();
      if (options.progress && !options.progress(static_cast<double>(n_written) / static_cast<double>(n_bytes)))
        return Error{ErrorCode::cancelled, "saving was cancelled"};
    }
  }
  return writer.finish();
}

} // namespace

Status save_random_model(const ModelSpec& spec, std::uint64_t seed, const std::string& out_path, const QuantizeOptions& options) {
  return api::guard([&]() -> Status {
    if (Status status = validate(spec); !status) return status;
    gguf::Writer writer(out_path);
    if (Status status = spec::write_spec(spec, writer); !status) return status;
    writer.set_u32("general.file_type", weights::file_type_id(options.mix));
    writer.set_u32("general.quantization_version", 2);
    text::write_vocabulary(text::make_up_vocabulary(static_cast<std::size_t>(spec.n_vocab)), writer);
    const auto tensors = weights::list_tensors(spec);
    const auto types = weights::choose_types(tensors, spec, options.mix);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const std::int64_t dims[] = {tensors[i].n_cols, tensors[i].n_rows};
      writer.add_tensor(tensors[i].name, types[i], std::span(dims).first(tensors[i].is_matrix() ? 2 : 1));
    }
    auto pool = api::make_pool(options.n_threads);
    if (!pool) return std::move(pool).error();
    if (Status status = writer.begin(); !status) return status;
    return write_weights(tensors, types, seed, **pool, writer, options);
  });
}

} // namespace mote

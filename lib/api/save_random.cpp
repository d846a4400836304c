#include <algorithm>
#include <atomic>

#include "lib/api/guard.h"
#include "lib/api/pool.h"
#include "lib/gguf/assembly.h"
#include "lib/gguf/writer.h"
#include "lib/spec/read_spec.h"
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

/// Whether the keys and these tensors are, read back, the same model.
Status check_read_back(const ModelSpec& spec, const gguf::KeyValues& keys, std::span<const weights::TensorDesc> tensors,
                       std::span<const TensorType> types, const std::string& path) {
  gguf::Assembly assembly;
  assembly.path = path;
  assembly.keys = keys;
  assembly.sources.emplace_back();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    gguf::Tensor tensor;
    tensor.name = tensors[i].name;
    tensor.type = types[i];
    tensor.n_dims = tensors[i].n_dims();
    tensor.dims = tensors[i].dims();
    tensor.data = std::as_bytes(std::span(tensors[i].values)); // reading the spec looks at no other
    assembly.tensors.push_back(std::move(tensor));
  }
  const auto file = gguf::File::assemble(std::move(assembly));
  if (!file) return file.error();
  const auto read = spec::read_spec(*file);
  const std::string lost = read ? diff(spec, *read) : read.error().message;
  if (lost.empty()) return {};
  return Error{ErrorCode::unsupported,
               "a file of the family " + spec.family + " cannot say all of this model: " + lost.substr(0, lost.find('\n'))};
}

} // namespace

Status save_random_model(const ModelSpec& spec, std::uint64_t seed, const std::string& out_path, const QuantizeOptions& options) {
  return api::guard([&]() -> Status {
    if (Status status = validate(spec); !status) return status;
    const auto tensors = weights::list_tensors(spec);
    const auto types = weights::choose_types(tensors, spec, options.mix);
    gguf::KeyValues keys;
    if (Status status = spec::write_spec(spec, keys); !status) return status;
    if (Status status = check_read_back(spec, keys, tensors, types, out_path); !status) return status;
    keys.set_u32("general.file_type", weights::file_type_id(options.mix));
    keys.set_u32("general.quantization_version", 2);
    text::write_vocabulary(text::make_up_vocabulary(static_cast<std::size_t>(spec.n_vocab)), keys);
    gguf::Writer writer(out_path);
    writer.set_all(keys);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const auto dims = tensors[i].dims();
      writer.add_tensor(tensors[i].name, types[i], std::span(dims).first(static_cast<std::size_t>(tensors[i].n_dims())));
    }
    auto pool = api::make_pool(options.n_threads);
    if (!pool) return std::move(pool).error();
    if (Status status = writer.begin(); !status) return status;
    return write_weights(tensors, types, seed, **pool, writer, options);
  });
}

} // namespace mote

#include <algorithm>
#include <atomic>
#include <cstring>

#include "kernels/pack.h"
#include "lib/weights/packed_cache.h"
#include "lib/weights/weights.h"
#include "quant/quant.h"

namespace mote::weights {

namespace {

/// A run of panels of a part of a matrix, or one tensor that becomes floats.
struct Job {
  std::size_t tensor;
  std::int64_t first_row, last_row;
};

/// Where a tensor's packed form goes; one of the two is null.
struct Place {
  std::byte* panels = nullptr;
  float* floats = nullptr;
};

/// Panels of one part of a matrix.
std::size_t panels_of_part(const TensorDesc& desc) {
  return static_cast<std::size_t>(kernels::panel_count(static_cast<int>(desc.n_rows / desc.n_parts)));
}
std::size_t panels_bytes(const TensorDesc& desc, TensorType type) {
  return static_cast<std::size_t>(desc.n_parts) * panels_of_part(desc) *
         kernels::panel_bytes(type, static_cast<int>(desc.n_cols));
}

/// Of a tensor that is kept as floats; those in lanes fill up their last 16 rows.
std::size_t floats_of(const TensorDesc& desc) {
  const auto n_rows = static_cast<std::size_t>(desc.n_rows), n_cols = static_cast<std::size_t>(desc.n_cols);
  return (desc.form == Form::lanes ? (n_rows + 15) / 16 * 16 : n_rows) * n_cols;
}

/// packed: the panels are there already.
std::vector<Job> make_jobs(std::span<const TensorDesc> tensors, std::span<const TensorType> types, bool packed) {
  constexpr std::size_t kJobBytes = 1 << 20; // what a thread holds of the file at a time
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (packed && tensors[i].form == Form::matrix) continue;
    const std::size_t panel = row_bytes(types[i], static_cast<std::size_t>(tensors[i].n_cols)) * kernels::kPanelRows;
    const auto step =
        static_cast<std::int64_t>(std::max<std::size_t>(1, kJobBytes / std::max<std::size_t>(1, panel))) * kernels::kPanelRows;
    const std::int64_t part_rows = tensors[i].n_rows / tensors[i].n_parts;
    for (std::int64_t part = 0; part < tensors[i].n_rows; part += part_rows)
      for (std::int64_t row = part; row < part + part_rows; row += step)
        jobs.push_back({i, row, std::min(row + step, part + part_rows)});
  }
  return jobs;
}

/// What the threads share while they pack.
struct Loading {
  std::span<const TensorDesc> tensors;
  std::span<const TensorType> types;
  std::span<const Place> places;
  std::span<const Job> jobs;
  const RowSource& source;
  const std::function<bool(double)>& progress;
  std::vector<std::vector<std::byte>> scratch; ///< one per thread
  std::atomic<std::size_t> next{0};
  std::atomic<bool> cancelled{false};
};

void do_job(const Loading& loading, const Job& job, std::byte* scratch) {
  const TensorDesc& desc = loading.tensors[job.tensor];
  const TensorType type = loading.types[job.tensor];
  const Place& place = loading.places[job.tensor];
  const std::byte* rows = loading.source.rows(job.tensor, job.first_row, job.last_row, scratch);
  const auto n_cols = static_cast<std::size_t>(desc.n_cols);
  const std::size_t stride = row_bytes(type, n_cols);
  if (desc.form == Form::lanes) {
    std::vector<float> values(n_cols);
    for (std::int64_t row = job.first_row; row < job.last_row; ++row, rows += stride) {
      quant::dequantize(type, rows, values);
      float* out = place.floats + static_cast<std::size_t>(row / kernels::kPanelRows) * n_cols * kernels::kPanelRows +
                   row % kernels::kPanelRows;
      for (std::size_t i = 0; i < n_cols; ++i) out[i * kernels::kPanelRows] = values[i];
    }
    return;
  }
  if (place.floats) {
    for (std::int64_t row = job.first_row; row < job.last_row; ++row, rows += stride)
      quant::dequantize(type, rows, {place.floats + static_cast<std::size_t>(row) * n_cols, n_cols});
    return;
  }
  const std::size_t panel = kernels::panel_bytes(type, static_cast<int>(desc.n_cols));
  const std::int64_t part_rows = desc.n_rows / desc.n_parts, in_part = job.first_row % part_rows;
  std::byte* out = place.panels + (static_cast<std::size_t>(job.first_row / part_rows) * panels_of_part(desc) +
                                   static_cast<std::size_t>(in_part / kernels::kPanelRows)) *
                                      panel;
  for (std::int64_t row = job.first_row; row < job.last_row; row += kernels::kPanelRows, out += panel) {
    const int n_rows = static_cast<int>(std::min<std::int64_t>(kernels::kPanelRows, job.last_row - row));
    kernels::pack_panel(type, rows, n_rows, static_cast<int>(desc.n_cols), out);
    rows += stride * kernels::kPanelRows;
  }
}

void work(void* context, int thread) {
  Loading& loading = *static_cast<Loading*>(context);
  const std::size_t step = std::max<std::size_t>(1, loading.jobs.size() / 200);
  for (std::size_t reported = 0;;) {
    const std::size_t i = loading.next.fetch_add(1, std::memory_order_relaxed);
    if (i >= loading.jobs.size() || loading.cancelled.load(std::memory_order_relaxed)) return;
    const Job& job = loading.jobs[i];
    do_job(loading, job, loading.scratch[static_cast<std::size_t>(thread)].data());
    loading.source.done(job.tensor, job.first_row, job.last_row);
    if (thread == 0 && loading.progress && i >= reported) {
      reported = i + step;
      if (!loading.progress(static_cast<double>(i + 1) / static_cast<double>(loading.jobs.size()))) loading.cancelled = true;
    }
  }
}

Place place_tensor(const TensorDesc& desc, TensorType type, runtime::Arena& panels, runtime::Arena& floats) {
  if (desc.form == Form::matrix) return {panels.take<std::byte>(panels_bytes(desc, type)), nullptr};
  return {nullptr, floats.take<float>(floats_of(desc))};
}

/// Gives each tensor its place in the two buffers; measures only when they are empty.
std::vector<Place> place_tensors(std::span<const TensorDesc> tensors, std::span<const TensorType> types, runtime::Arena& panels,
                                 runtime::Arena& floats) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < tensors.size(); ++i) places.push_back(place_tensor(tensors[i], types[i], panels, floats));
  return places;
}

/// Whether panels from a cache are what packing gives today: the first one of each matrix. So a change of a format's panels, or
/// of their order, makes old caches stale without anyone's having to say so.
bool agree(std::span<const TensorDesc> tensors, std::span<const TensorType> types, std::span<const Place> places,
           const RowSource& source) {
  std::vector<std::byte> panel, scratch;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!places[i].panels) continue;
    const int n_cols = static_cast<int>(tensors[i].n_cols);
    const auto n_rows = std::min<std::int64_t>(kernels::kPanelRows, tensors[i].n_rows / tensors[i].n_parts);
    panel.resize(kernels::panel_bytes(types[i], n_cols));
    if (source.needs_scratch())
      scratch.resize(static_cast<std::size_t>(n_rows) * row_bytes(types[i], static_cast<std::size_t>(tensors[i].n_cols)));
    kernels::pack_panel(types[i], source.rows(i, 0, n_rows, scratch.data()), static_cast<int>(n_rows), n_cols, panel.data());
    if (std::memcmp(panel.data(), places[i].panels, panel.size()) != 0) return false;
  }
  return true;
}

/// Points the place in Weights that a tensor's role stands for at its packed form.
void bind(Weights& weights, const TensorDesc& desc, TensorType type, const Place& place) {
  RoleWeights& owner = desc.layer < 0 ? weights.model : weights.layers[static_cast<std::size_t>(desc.layer)];
  const auto role = static_cast<std::size_t>(desc.role);
  if (desc.form == Form::bias) owner.linears[role].bias = owner.norms[role].bias = place.floats;
  else if (desc.form == Form::matrix)
    owner.linears[role].weight = {type,
                                  static_cast<int>(desc.n_rows / desc.n_parts),
                                  static_cast<int>(desc.n_cols),
                                  place.panels,
                                  panels_bytes(desc, type),
                                  desc.n_parts};
  else owner.norms[role].weight = place.floats;
}

/// The two halves of a matrix that holds gate and up.
void split_gate(RoleWeights& layer, int d_ff) {
  Linear& up = layer.linears[static_cast<std::size_t>(Role::ffn_up)];
  Linear& gate = layer.linears[static_cast<std::size_t>(Role::ffn_gate)];
  const Linear both = up;
  gate = both.part(0);
  up = both.part(1);
  if (!both.bias) return;
  gate.bias = both.bias;
  up.bias = both.bias + d_ff;
}

/// The layer whose weight of this role a layer uses; -1: its own.
int source_of(const LayerSpec& layer, Role role) {
  if (layer.block && is_block_role(role)) return layer.block->from;
  return is_ffn_role(role) ? layer.ffn_from : layer.mixer_from;
}

/// What layers take from others, and the head from the embedding.
void share(Weights& weights, const ModelSpec& spec) {
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const auto& ffn = spec.layers[i].ffn;
    if (ffn && ffn->gate_storage == GateStorage::fused && spec.layers[i].ffn_from < 0) split_gate(weights.layers[i], ffn->d_ff);
  }
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    for (std::size_t role = 0; role < kNumRoles; ++role) {
      const int from = source_of(spec.layers[i], static_cast<Role>(role));
      if (from < 0) continue;
      weights.layers[i].linears[role] = weights.layers[static_cast<std::size_t>(from)].linears[role];
      weights.layers[i].norms[role] = weights.layers[static_cast<std::size_t>(from)].norms[role];
    }
  }
  if (spec.head.tied)
    weights.model.linears[static_cast<std::size_t>(Role::output)].weight = weights.model.linear(Role::token_embd).weight;
}

void bind_all(Weights& weights, const ModelSpec& spec, std::span<const TensorDesc> tensors, std::span<const TensorType> types,
              std::span<const Place> places) {
  weights.layers.resize(spec.layers.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) bind(weights, tensors[i], types[i], places[i]);
  share(weights, spec);
}

} // namespace

std::size_t packed_bytes(const TensorDesc& desc, TensorType type) {
  runtime::Arena arena;
  place_tensor(desc, type, arena, arena);
  return arena.used();
}

Result<Weights> load_weights(const ModelSpec& spec, std::span<const TensorDesc> tensors, std::span<const TensorType> types,
                             const RowSource& source, runtime::ThreadPool& pool, const std::function<bool(double)>& progress,
                             PackedCache* cache) {
  runtime::Arena measured_panels, measured_floats;
  place_tensors(tensors, types, measured_panels, measured_floats);
  Weights weights;
  auto float_memory = runtime::Buffer::allocate(measured_floats.used());
  if (!float_memory) return std::move(float_memory).error();
  weights.floats = *std::move(float_memory);
  const auto place_all = [&] {
    runtime::Arena panels(weights.panels.span()), floats(weights.floats.span());
    return place_tensors(tensors, types, panels, floats);
  };

  std::vector<Place> places;
  if (cache) {
    weights.panels = cache->read(measured_panels.used(), pool);
    places = place_all();
  }
  const bool packed = weights.panels.size() != 0 && agree(tensors, types, places, source);
  if (!packed) {
    auto memory = runtime::Buffer::allocate(measured_panels.used());
    if (!memory) return std::move(memory).error();
    weights.panels = *std::move(memory);
    places = place_all();
  }

  const std::vector<Job> jobs = make_jobs(tensors, types, packed);
  Loading loading{tensors, types, places, jobs, source, progress, {}, 0, false};
  std::size_t most = 0;
  for (const Job& job : jobs)
    most = std::max(most, static_cast<std::size_t>(job.last_row - job.first_row) *
                              row_bytes(types[job.tensor], static_cast<std::size_t>(tensors[job.tensor].n_cols)));
  loading.scratch.assign(static_cast<std::size_t>(pool.size()), std::vector<std::byte>(source.needs_scratch() ? most : 0));
  pool.run(work, &loading);
  if (loading.cancelled) return Error{ErrorCode::cancelled, "loading was cancelled"};
  if (cache && !packed) cache->write(weights.panels.span(), pool);

  bind_all(weights, spec, tensors, types, places);
  return weights;
}

Weights describe_weights(const ModelSpec& spec, std::span<const TensorDesc> tensors, std::span<const TensorType> types) {
  runtime::Arena panels, floats;
  Weights weights;
  bind_all(weights, spec, tensors, types, place_tensors(tensors, types, panels, floats));
  return weights;
}

} // namespace mote::weights

#include "mote/model.h"

#include <algorithm>
#include <array>

#include "kernels/dispatch.h"
#include "kernels/pack.h"
#include "lib/api/guard.h"
#include "lib/api/model_impl.h"
#include "lib/api/pool.h"
#include "lib/gguf/file.h"
#include "lib/hf/open.h"
#include "lib/spec/read_spec.h"
#include "lib/text/tokenizer.h"
#include "lib/weights/file_type.h"
#include "lib/weights/latent.h"
#include "lib/weights/packed_cache.h"
#include "lib/weights/sources.h"

namespace mote {

namespace {

/// The parts of loading that do not depend on where the weights come from.
Status choose_kernels(const ModelOptions& options, Model::Impl& model) {
  Result<Isa> isa = options.isa ? Result<Isa>(*options.isa) : default_isa();
  if (!isa) return std::move(isa).error();
  auto table = kernels::kernels_for(*isa);
  if (!table) return std::move(table).error();
  model.isa = *isa;
  model.kernels = *table;
  return {};
}

Status load(std::span<const weights::TensorDesc> tensors, std::span<const TensorType> types, const weights::RowSource& source,
            const ModelOptions& options, Model::Impl& model, weights::PackedCache* cache = nullptr) {
  auto pool = api::make_pool(options.n_threads);
  if (!pool) return std::move(pool).error();
  auto loaded = weights::load_weights(model.spec, tensors, types, source, **pool, options.progress, cache);
  if (!loaded) return std::move(loaded).error();
  model.weights = *std::move(loaded);
  return {};
}

} // namespace

Result<Model> Model::open(const std::string& path, const ModelOptions& options) {
  return api::guard([&]() -> Result<Model> {
    auto model = std::make_shared<Impl>();
    if (Status status = choose_kernels(options, *model); !status) return std::move(status).error();
    auto file = hf::open(path);
    if (!file) return std::move(file).error();
    auto spec = spec::read_spec(*file);
    if (!spec) return std::move(spec).error();
    model->spec = *std::move(spec);
    if (text::has_tokenizer(*file)) {
      auto tokenizer = text::read_tokenizer(*file);
      if (tokenizer) model->tokenizer = *std::move(tokenizer);
      else if (tokenizer.error().code == ErrorCode::unsupported) model->tokenizer_problem = std::move(tokenizer).error().message;
      else return std::move(tokenizer).error();
      for (const auto& part : file->identity()) file->release(part.header); // megabytes of tokens and merges
    }
    weights::split_kv_b(*file, model->spec);
    const auto tensors = weights::list_tensors(model->spec);
    const auto types = weights::check_tensors(*file, tensors);
    if (!types) return types.error();
    model->type_name = weights::file_type_name(*file, *types, tensors);
    const weights::FileSource source(*file, tensors);
    std::optional<weights::PackedCache> cache;
    if (!options.cache_dir.empty()) cache.emplace(options.cache_dir, *file);
    model->types = *types;
    if (Status status = load(tensors, *types, source, options, *model, cache ? &*cache : nullptr); !status)
      return std::move(status).error();
    if (cache) model->cache = cache->report();
    return Model(std::move(model));
  });
}

Result<Model> Model::random(const ModelSpec& spec, Mix mix, std::uint64_t seed, const ModelOptions& options) {
  return api::guard([&]() -> Result<Model> {
    auto model = std::make_shared<Impl>();
    if (Status status = choose_kernels(options, *model); !status) return std::move(status).error();
    if (Status status = validate(spec); !status) return std::move(status).error();
    model->spec = spec;
    model->type_name = mix_name(mix);
    const auto tensors = weights::list_tensors(spec);
    const auto types = weights::choose_types(tensors, spec, mix);
    const weights::RandomSource source(tensors, types, seed);
    model->types = types;
    if (Status status = load(tensors, types, source, options, *model); !status) return std::move(status).error();
    return Model(std::move(model));
  });
}

const ModelSpec& Model::spec() const noexcept { return impl_->spec; }
Isa Model::isa() const noexcept { return impl_->isa; }
std::string_view Model::type_name() const noexcept { return impl_->type_name; }
const Tokenizer* Model::tokenizer() const noexcept { return impl_->tokenizer ? &*impl_->tokenizer : nullptr; }

std::string_view Model::tokenizer_problem() const noexcept { return impl_->tokenizer_problem; }

const CacheReport& Model::cache() const noexcept { return impl_->cache; }

MemoryUse Model::memory() const noexcept {
  MemoryUse memory;
  memory.parameters = impl_->weights.bytes();
  memory.tokenizer = impl_->tokenizer ? impl_->tokenizer->memory_bytes() : 0;
  return memory;
}

std::size_t Model::bytes_per_token() const noexcept {
  using weights::Role;
  const weights::Weights& w = impl_->weights;
  const auto d_model = static_cast<std::size_t>(impl_->spec.d_model);
  std::size_t bytes =
      w.model.linear(Role::output).weight.bytes + row_bytes(w.model.linear(Role::token_embd).weight.type, d_model);
  for (std::size_t i = 0; i < w.layers.size(); ++i) {
    for (std::size_t role = 0; role < weights::kNumRoles; ++role) {
      const weights::Linear& linear = w.layers[i].linears[role];
      if (!linear.is_there() || !weights::is_experts_role(static_cast<Role>(role))) bytes += linear.weight.bytes;
      else bytes += linear.part(0).weight.bytes * static_cast<std::size_t>(impl_->spec.layers[i].ffn->experts->n_used);
    }
  }
  return bytes;
}

} // namespace mote

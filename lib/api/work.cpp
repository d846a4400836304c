#include <utility>

#include "lib/api/guard.h"
#include "lib/decoder/compile.h"
#include "mote/work.h"

namespace mote {

namespace {

StepWork describe(const decoder::Step& step) {
  const runtime::StepTag& tag = step.tag;
  const std::int32_t token = 0;
  decoder::Pass single;
  single.tokens = {&token, 1};
  single.n_outputs = 1;
  StepWork work;
  work.component = tag.component;
  work.operation = tag.operation;
  work.layer = tag.layer;
  work.outputs_only = tag.outputs_only;
  work.unshared = !step.ends_at_barrier(single);
  work.products = tag.products;
  work.width = tag.width;
  work.activation = tag.activation;
  work.n_heads = tag.n_heads;
  work.n_kv_heads = tag.n_kv_heads;
  work.window = tag.window;
  work.ops_per_token = tag.ops_per_token;
  return work;
}

} // namespace

Result<std::vector<StepWork>> work_of(const ModelSpec& spec, Mix types) {
  return api::guard([&]() -> Result<std::vector<StepWork>> {
    if (Status status = validate(spec); !status) return std::move(status).error();
    const auto tensors = weights::list_tensors(spec);
    const weights::Weights weights = weights::describe_weights(spec, tensors, weights::choose_types(tensors, spec, types));
    // Steps are made over buffers that nobody will touch: of the system they are addresses only.
    constexpr decoder::BufferSizes kSizes{1, 1, 1};
    runtime::Arena measured;
    decoder::take_buffers(spec, kSizes, measured);
    decoder::take_cache(spec, kSizes.n_ctx, TensorType::F16, measured, measured);
    const auto memory = runtime::Buffer::allocate(measured.used());
    if (!memory) return memory.error();
    runtime::Arena arena(memory->span());
    decoder::Buffers buffers = decoder::take_buffers(spec, kSizes, arena);
    const std::vector<decoder::LayerCache> cache = decoder::take_cache(spec, kSizes.n_ctx, TensorType::F16, arena, arena);

    const decoder::Plan plan = decoder::compile(spec, weights, buffers, cache);
    std::vector<StepWork> steps;
    steps.reserve(plan.steps.size());
    for (const auto& step : plan.steps) steps.push_back(describe(*step));
    return steps;
  });
}

} // namespace mote

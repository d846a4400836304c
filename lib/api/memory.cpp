#include "mote/memory.h"

#include "lib/api/guard.h"
#include "lib/api/model_impl.h"
#include "lib/api/session_options.h"
#include "lib/decoder/decoder.h"
#include "lib/weights/tensors.h"
#include "lib/weights/weights.h"

namespace mote {
namespace {

Component component_of(const weights::TensorDesc& tensor) {
  using enum weights::Role;
  if (weights::is_ffn_role(tensor.role)) return Component::ffn;
  switch (tensor.role) {
    case token_embd:
    case pos_embd:
    case embd_norm:
    case project_in: return Component::embedding;
    case output_norm:
    case output:
    case project_out: return Component::lm_head;
    case ffn_norm:
    case ffn_post_norm:
    case ffn_adapter_in:
    case ffn_gate_adapter_out:
    case ffn_up_adapter_out:
    case block_out: return Component::ffn;
    default: return Component::attention;
  }
}

bool is_down(weights::Role role) {
  using enum weights::Role;
  return role == ffn_down || role == ffn_down_exps || role == ffn_down_shexp;
}

Result<MemoryPlan> plan(const ModelSpec& spec, std::span<const weights::TensorDesc> tensors, std::span<const TensorType> types,
                        const SessionOptions& session) {
  const auto options = api::resolve(session, spec.n_ctx);
  if (!options) return options.error();
  MemoryPlan plan;
  bool inner_floats = false;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::size_t packed = weights::packed_bytes(tensors[i], types[i]);
    plan.use.parameters += packed;
    plan.parameters[static_cast<std::size_t>(component_of(tensors[i]))] += packed;
    plan.packing +=
        packed - static_cast<std::size_t>(tensors[i].n_rows) * row_bytes(types[i], static_cast<std::size_t>(tensors[i].n_cols));
    inner_floats |= is_down(tensors[i].role) && tensors[i].form == weights::Form::matrix && weights::takes_floats(types[i]);
  }
  const decoder::SessionBytes bytes = decoder::session_bytes(spec, *options, inner_floats);
  plan.use.kv_cache = bytes.kv_cache;
  plan.use.state = bytes.state;
  plan.use.compute = bytes.compute;
  return plan;
}

} // namespace

Result<MemoryPlan> memory_of(const ModelSpec& spec, Mix types, const SessionOptions& session) {
  return api::guard([&]() -> Result<MemoryPlan> {
    if (Status status = validate(spec); !status) return std::move(status).error();
    const auto tensors = weights::list_tensors(spec);
    return plan(spec, tensors, weights::choose_types(tensors, spec, types), session);
  });
}

Result<MemoryPlan> memory_of(const Model& model, const SessionOptions& session) {
  return api::guard([&]() -> Result<MemoryPlan> {
    const Model::Impl& m = *model.impl();
    auto all = plan(m.spec, weights::list_tensors(m.spec), m.types, session);
    if (all) all->use.tokenizer = model.memory().tokenizer;
    return all;
  });
}

} // namespace mote

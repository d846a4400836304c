#include <nlohmann/json.hpp>

#include "bench/report.h"

namespace bench {
namespace {

using Json = nlohmann::ordered_json;

Json json(const Spread& spread) { return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}}; }

Json json(const PhaseReport& phase, const Row& row) {
  return {{"ns", row.ns},
          {"share", phase.share(row.ns)},
          {"bytes", row.bytes},
          {"operations", row.operations},
          {"bytes_per_second", row.bytes_per_second()},
          {"operations_per_second", row.operations_per_second()},
          {"roofline_share", row.roofline_share()}};
}

Json json(const PhaseReport& phase, const std::vector<Row>& rows) {
  Json object = Json::object();
  for (const Row& row : rows) object[row.name] = json(phase, row);
  return object;
}

Json json(const PhaseReport& phase, const std::vector<LayerRow>& rows) {
  Json list = Json::array();
  for (const LayerRow& r : rows) {
    Json object = {{"layer", r.layer}};
    if (!r.component.empty()) object.update({{"component", r.component}, {"operation", r.row.name}});
    object.update(json(phase, r.row));
    list.push_back(std::move(object));
  }
  return list;
}

Json json(const PhaseReport& phase) {
  return {{"tokens_per_second", phase.tokens_per_second(phase.wall_ns.median)},
          {"n_tokens", phase.n_tokens},
          {"wall_ns", json(phase.wall_ns)},
          {"components", json(phase, phase.components)},
          {"operations", json(phase, phase.operations)},
          {"layers", json(phase, phase.layers)},
          {"layer_operations", json(phase, phase.layer_operations)},
          {"unattributed_share", phase.share(phase.unattributed_ns)}};
}

Json counters_json(const RunReport& run, const PhaseReport& phase) {
  if (!run.counters_unavailable.empty()) return {{"unavailable", run.counters_unavailable}};
  const Counts& counts = phase.usage.counts;
  return {{"cycles", counts.cycles}, {"instructions", counts.instructions}, {"cache_misses", counts.cache_misses}};
}

Json energy_json(const RunReport& run, const PhaseReport& phase) {
  if (!run.energy_unavailable.empty()) return {{"unavailable", run.energy_unavailable}};
  return {{"joules", phase.usage.joules}, {"joules_per_token", phase.joules_per_token()}, {"source", run.energy_source}};
}

Json json(const Overhead& overhead) {
  return {{"off_ns", overhead.off_ns}, {"on_ns", overhead.on_ns}, {"share", overhead.share},
          {"least", overhead.least},   {"most", overhead.most},   {"n_tokens", overhead.n_tokens}};
}

Json json(const Sustained& sustained) {
  Json points = Json::array();
  for (const Sustained::Point& point : sustained.points) {
    Json object = {{"at_ns", point.at_ns}, {"tokens_per_second", point.tokens_per_second}};
    if (point.sensors.core_hz > 0) object["core_hz"] = point.sensors.core_hz;
    if (point.sensors.celsius > 0) object["celsius"] = point.sensors.celsius;
    points.push_back(std::move(object));
  }
  return {{"seconds", sustained.seconds}, {"points", points}};
}

Json parts(const mote::MemoryPlan& plan) {
  return {{"kv_cache", plan.use.kv_cache}, {"state", plan.use.state}, {"compute", plan.use.compute}, {"total", plan.total()}};
}

Json memory_json(const RunReport& run) {
  Json predicted, by_component, by_context = Json::array();
  for (int c = 0; c < mote::kNumComponents; ++c)
    by_component[mote::component_name(static_cast<mote::Component>(c))] = run.predicted.parameters[static_cast<std::size_t>(c)];
  predicted["parameters"] = by_component;
  predicted["packing"] = run.predicted.packing;
  predicted["tokenizer"] = run.predicted.use.tokenizer;
  predicted.update(parts(run.predicted));
  for (const ContextMemory& at : run.by_context) {
    Json object = {{"context", at.context}};
    object.update(parts(at.plan));
    by_context.push_back(std::move(object));
  }
  return {{"parameters", run.memory.parameters},
          {"kv_cache", run.memory.kv_cache},
          {"state", run.memory.state},
          {"compute", run.memory.compute},
          {"tokenizer", run.memory.tokenizer},
          {"process_peak", run.process.peak},
          {"resident", run.process.resident},
          {"anonymous", run.process.anonymous},
          {"mapped", run.process.mapped},
          {"predicted", predicted},
          {"by_context", by_context}};
}

Json json(const RunReport& run) {
  Json prefill = json(run.prefill), decode = json(run.decode);
  for (const auto& [object, phase] : {std::pair{&prefill, &run.prefill}, std::pair{&decode, &run.decode}}) {
    (*object)["counters"] = counters_json(run, *phase);
    (*object)["energy"] = energy_json(run, *phase);
  }
  const Percentiles& token = run.decode.token_ns;
  decode["token_ns"] = {{"p50", token.p50}, {"p90", token.p90}, {"p99", token.p99}, {"max", token.max}};
  decode["weight_bytes_per_token"] = run.bytes_per_token;
  decode["weight_bytes_per_second"] = run.decode_bandwidth();
  decode["read_bandwidth_share"] = run.decode_bandwidth() / run.roofline.read_bandwidth;
  Json all = {{"model", run.model},
              {"type", run.type},
              {"n_parameters", run.n_parameters},
              {"threads", run.threads},
              {"isa", mote::isa_name(run.isa)},
              {"prompt", run.prompt},
              {"generate", run.generate},
              {"context", run.context},
              {"repeat", run.repeat},
              {"seed", run.seed},
              {"time_to_first_token_ns", json(run.time_to_first_token_ns)},
              {"cold",
               {{"open_ns", run.cold.open_ns},
                {"time_to_first_token_ns", run.cold.time_to_first_token_ns},
                {"first_token_ns", run.cold.first_token_ns}}},
              {"roofline",
               {{"read_bytes_per_second", run.roofline.read_bandwidth},
                {"int8_operations_per_second", run.roofline.int8},
                {"fp32_operations_per_second", run.roofline.fp32}}},
              {"read_bandwidth_bytes_per_second", run.roofline.read_bandwidth},
              {"phases", {{"prefill", prefill}, {"decode", decode}}},
              {"memory", memory_json(run)}};
  if (run.sustained) all["sustain"] = json(*run.sustained);
  if (run.overhead) all["overhead"] = json(*run.overhead);
  return all;
}

} // namespace

std::string json_of(const Machine& machine, std::span<const RunReport> runs) {
  Json isas = Json::array();
  for (const mote::Isa isa : machine.isas) isas.push_back(mote::isa_name(isa));
  Json list = Json::array();
  for (const RunReport& run : runs) list.push_back(json(run));
  const Json all = {{"mote", mote_version()},
                    {"machine",
                     {{"cpu", machine.cpu},
                      {"processors", machine.n_processors},
                      {"performance_cores", machine.n_performance_cores},
                      {"isas", isas}}},
                    {"runs", list}};
  // A path need not be UTF-8; JSON must.
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace bench

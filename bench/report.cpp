#include "bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

constexpr std::string_view kBarrierWait = "barrier_wait";

std::int64_t rank(const std::vector<std::int64_t>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

/// The row of this name, made if there is none.
Row& row_named(std::vector<Row>& rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Row::name);
  return found != rows.end() ? *found : rows.emplace_back(Row{std::string(name)});
}

void add(Row& row, std::int64_t ns, const mote::StepProfile& step, double least_ns) {
  row.ns += ns;
  row.bytes += step.bytes;
  row.operations += step.operations;
  row.least_ns += least_ns;
}

/// The row of this layer, component and operation, made if there is none.
Row& row_of(std::vector<LayerRow>& rows, int layer, std::string_view component, std::string_view operation) {
  const auto found = std::ranges::find_if(
      rows, [&](const LayerRow& r) { return r.layer == layer && r.component == component && r.row.name == operation; });
  if (found != rows.end()) return found->row;
  return rows.emplace_back(LayerRow{layer, std::string(component), {std::string(operation)}}).row;
}

} // namespace

Spread spread_of(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  return {values[(values.size() - 1) / 2], values.front(), values.back()};
}

Percentiles percentiles_of(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  return {rank(values, 0.5), rank(values, 0.9), rank(values, 0.99), values.back()};
}

namespace {

/// The steps of all layers in one row for each place in a layer; layers may differ in the steps that they have.
void add_steps(PhaseReport& report, const mote::PhaseProfile& profile) {
  std::size_t first = 0; // of the layer that the step belongs to
  int layer = -1;
  for (const mote::StepProfile& step : profile.steps) {
    const std::string name = fmt::format("{}.{}", mote::component_name(step.component), mote::operation_name(step.operation));
    const bool in_layers = step.layer >= 0;
    if (step.layer != layer) first = 0;
    layer = step.layer;
    const auto row = std::find_if(report.steps.begin() + static_cast<std::ptrdiff_t>(first), report.steps.end(),
                                  [&](const StepRow& r) { return r.name == name && r.in_layers == in_layers; });
    first = static_cast<std::size_t>(row - report.steps.begin()) + 1;
    StepRow& found = row != report.steps.end() ? *row : report.steps.emplace_back(StepRow{name, in_layers});
    found.work_ns += step.work_ns;
    found.wait_ns += step.wait_ns;
    found.n_barriers += step.n_barriers;
    if (step.layer == 0 && step.n_barriers > 0) report.barriers_per_layer += 1;
  }
}

/// What a step's operation is called; matrices by the kernel that computes them.
std::string_view name_of(mote::Operation operation, bool single_tokens) {
  if (operation == mote::Operation::mul_mat) return single_tokens ? "mul_mat_vec" : "mul_mat";
  return mote::operation_name(operation);
}

/// The rows of components, operations and layers. Returns the nanoseconds that the steps account for.
std::int64_t add_rows(PhaseReport& report, const mote::PhaseProfile& profile, bool single_tokens, const Roofline& roofline) {
  std::int64_t wait_ns = 0, attributed_ns = 0;
  for (const mote::StepProfile& step : profile.steps) {
    const double least_ns = roofline.least_ns(step);
    const std::int64_t ns = step.work_ns + step.wait_ns;
    const std::string_view component = mote::component_name(step.component), operation = name_of(step.operation, single_tokens);
    add(report.components[static_cast<std::size_t>(step.component)], ns, step, least_ns);
    add(row_named(report.operations, operation), step.work_ns, step, least_ns);
    add(row_of(report.layers, step.layer, "", ""), ns, step, least_ns);
    add(row_of(report.layer_operations, step.layer, component, operation), step.work_ns, step, least_ns);
    if (step.wait_ns > 0) row_of(report.layer_operations, step.layer, component, kBarrierWait).ns += step.wait_ns;
    wait_ns += step.wait_ns;
    attributed_ns += ns;
  }
  std::ranges::stable_sort(report.operations.begin() + 1, report.operations.end(), std::greater(), &Row::ns);
  report.operations.push_back({std::string(kBarrierWait), wait_ns});
  return attributed_ns;
}

} // namespace

PhaseReport report_phase(std::span<const Trial> trials, const Roofline& roofline) {
  PhaseReport report;
  std::vector<std::int64_t> walls, tokens;
  for (const Trial& trial : trials) {
    walls.push_back(trial.wall_ns);
    report.usage += trial.usage;
    tokens.insert(tokens.end(), trial.token_ns.begin(), trial.token_ns.end());
  }
  report.wall_ns = spread_of(std::move(walls));
  report.n_trials = static_cast<int>(trials.size());
  report.token_ns = percentiles_of(std::move(tokens));
  const auto middle = std::ranges::find(trials, report.wall_ns.median, &Trial::wall_ns);
  if (middle == trials.end()) return report;
  const mote::PhaseProfile& profile = middle->profile;
  report.n_tokens = static_cast<int>(profile.n_tokens);
  // Only single tokens have a time each; a prompt of one token is computed by the same kernel as they are.
  const bool single_tokens = profile.n_tokens == 1 || !middle->token_ns.empty();

  for (int c = 0; c < mote::kNumComponents; ++c)
    report.components.push_back({std::string(mote::component_name(static_cast<mote::Component>(c)))});
  row_named(report.operations, name_of(mote::Operation::mul_mat, single_tokens));
  if (middle->sample_ns > 0) {
    row_named(report.operations, "sample").ns = middle->sample_ns;
    report.components[static_cast<std::size_t>(mote::Component::other)].ns += middle->sample_ns;
    row_of(report.layers, -1, "", "").ns += middle->sample_ns;
    row_of(report.layer_operations, -1, mote::component_name(mote::Component::other), "sample").ns += middle->sample_ns;
  }
  report.unattributed_ns = report.wall_ns.median - middle->sample_ns - add_rows(report, profile, single_tokens, roofline);
  add_steps(report, profile);
  return report;
}

std::string_view mote_version() { return MOTE_VERSION; }

} // namespace bench

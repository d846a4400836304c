#include "lib/decoder/expert_steps.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mote::decoder {

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// The number of the largest score that is not taken, of equal ones the first; what is not a number is not larger than any.
int largest(const float* scores, const float* taken, int n) {
  int best = -1;
  for (int i = 0; i < n; ++i)
    if (taken[i] == 0 && (best < 0 || scores[i] > scores[best])) best = i;
  return best;
}

/// Softmax over the scores that are not taken and not further below the largest than 2% of the larger of it and of their own
/// size (Phi-3.5-MoE); its value for the largest one.
float sparse_mixer_weight(const kernels::KernelTable& table, const float* scores, const float* taken, int n, int best,
                          float* close) {
  constexpr float kMostBelow = 2 * 0.01f;
  for (int i = 0; i < n; ++i) {
    const float below = (scores[best] - scores[i]) / std::max(std::fabs(scores[i]), scores[best]);
    close[i] = taken[i] != 0 || below > kMostBelow ? -std::numeric_limits<float>::infinity() : scores[i];
  }
  table.softmax(n, close);
  return close[best];
}

} // namespace

void RouteStep::choose(const kernels::KernelTable& table, int token, int thread) const noexcept {
  const int n = o_.spec->n_experts, n_used = o_.spec->n_used;
  float* scores = o_.routing.scores + size(token) * size(n);
  float* taken = o_.scratch + size(thread) * o_.scratch_stride;
  int* used = o_.routing.used + size(token) * size(n_used);
  float* weights = o_.routing.weights + size(token) * size(n_used);
  std::fill(taken, taken + n, 0.0f);
  for (int i = 0; i < n_used; ++i) {
    const int best = largest(scores, taken, n);
    const bool mixed = o_.spec->router == Router::sparse_mixer;
    const float weight = mixed ? sparse_mixer_weight(table, scores, taken, n, best, taken + n) : scores[best];
    taken[best] = 1;
    int at = i; // ascending
    for (; at > 0 && used[at - 1] > best; --at) {
      used[at] = used[at - 1];
      weights[at] = weights[at - 1];
    }
    used[at] = best;
    weights[at] = weight;
  }
  if (o_.spec->router == Router::softmax_of_used) table.softmax(n_used, weights);
  if (o_.spec->router == Router::softmax) {
    table.softmax(n, scores);
    for (int i = 0; i < n_used; ++i) weights[i] = scores[used[i]];
  }
  for (int i = 0; i < n_used; ++i) weights[i] *= o_.spec->scale;
  if (!o_.shared_gate) return;
  float gate[2] = {o_.routing.shared_weights[token], 0}; // sigmoid is softmax beside 0
  table.softmax(2, gate);
  o_.routing.shared_weights[token] = gate[0];
}

void RouteStep::group(int n_tokens) const noexcept {
  const int n_used = o_.spec->n_used, n_slots = n_tokens * n_used;
  const Routing& r = o_.routing;
  std::fill(r.next_slots, r.next_slots + o_.spec->n_experts, 0);
  for (int i = 0; i < n_slots; ++i) ++r.next_slots[r.used[i]];
  int n_groups = 0, begin = 0;
  for (int expert = 0; expert < o_.spec->n_experts; ++expert) {
    const int n = r.next_slots[expert];
    if (n == 0) continue;
    r.group_experts[n_groups] = expert;
    r.group_begins[n_groups++] = r.next_slots[expert] = begin;
    begin += n;
  }
  r.group_begins[n_groups] = n_slots;
  *r.n_groups = n_groups;
  for (int i = 0; i < n_slots; ++i) {
    const int slot = r.next_slots[r.used[i]]++;
    r.slot_tokens[slot] = i / n_used;
    r.slot_weights[slot] = r.weights[i];
  }
}

void RouteStep::run(const Pass& pass, Items items) const noexcept {
  // Of one token the threads share the panels; of several, the tokens.
  constexpr int kTokenTile = 16;
  const int n_tokens = pass.n_tokens(), n_panels = panel_count(*o_.router), n_experts = o_.spec->n_experts;
  const int n_items = n_tokens == 1 ? n_panels : (n_tokens + kTokenTile - 1) / kTokenTile;
  int item, end;
  while (items.take(n_items, 1, item, end)) {
    const Range panels = n_tokens == 1 ? Range{item, end} : Range{0, n_panels};
    const Range tokens = n_tokens == 1 ? Range{0, 1} : Range{item * kTokenTile, std::min(end * kTokenTile, n_tokens)};
    const int row = o_.in.row(tokens.first, n_tokens, items.thread());
    const Range rows{row, row + tokens.size()};
    float* scores = o_.routing.scores + size(tokens.first) * size(n_experts) + rows_of(panels, *o_.router).first;
    multiply(*pass.kernels, *o_.router, o_.in, rows, panels, scores, size(n_experts));
    if (o_.shared_gate && panels.first == 0)
      multiply(*pass.kernels, *o_.shared_gate, o_.in, rows, {0, 1}, o_.routing.shared_weights + tokens.first, 1);
    if (n_tokens > 1)
      for (int token = tokens.first; token < tokens.last; ++token) choose(*pass.kernels, token, items.thread());
    if (n_done_.fetch_add(1, std::memory_order_acq_rel) + 1 < n_items) continue;
    n_done_.store(0, std::memory_order_relaxed);
    if (n_tokens == 1) choose(*pass.kernels, 0, items.thread());
    group(n_tokens);
  }
}

void ExpertsInStep::run(const Pass& pass, Items items) const noexcept {
  const int n_units = ffn_units(*o_.ffn.up), most_units = ffn_most_units(pass.n_tokens());
  int first, last;
  while (items.take(*o_.routing.n_groups * n_units, most_units, first, last)) {
    for (int end; first < last; first = end) { // a range may go on in the next group
      const int group = first / n_units;
      end = std::min(last, (group + 1) * n_units);
      run_group(pass, items.thread(), group, ffn_panels({first - group * n_units, end - group * n_units}, *o_.ffn.up));
    }
  }
}

void ExpertsInStep::gather(Range slots, int first_row) const noexcept {
  const Rows &from = o_.ffn.in, &to = o_.gathered;
  for (int slot = slots.first, row = first_row; slot < slots.last; ++slot, ++row) {
    const std::size_t token = size(o_.routing.slot_tokens[slot]);
    if (o_.ffn.up->takes_floats())
      std::copy_n(from.x + token * size(from.n_cols), from.n_cols, to.x + size(row) * size(to.n_cols));
    else std::copy_n(from.act + token * from.act_stride(), from.act_stride(), to.act + size(row) * to.act_stride());
  }
}

void ExpertsInStep::run_group(const Pass& pass, int thread, int group, Range panels) const noexcept {
  const int expert = o_.routing.group_experts[group];
  const weights::Linear up = o_.ffn.up->part(expert), gate = o_.ffn.gate ? o_.ffn.gate->part(expert) : weights::Linear{};
  FfnInStep::Operands ffn = o_.ffn;
  ffn.up = &up;
  if (ffn.gate) ffn.gate = &gate;
  const Range slots{o_.routing.group_begins[group], o_.routing.group_begins[group + 1]};
  if (pass.n_tokens() == 1) {
    const int row = ffn.in.row(0, 1, thread);
    return FfnInStep::run_tile(*pass.kernels, ffn, thread, {row, row + 1}, slots.first, panels);
  }
  ffn.in = o_.gathered;
  const int n_tile = std::min(o_.n_gathered, kFfnTileFloats / (panels.size() * kernels::kPanelRows));
  const int first_row = thread * o_.n_gathered;
  for (int slot = slots.first; slot < slots.last; slot += n_tile) {
    const int n = std::min(n_tile, slots.last - slot);
    gather({slot, slot + n}, first_row);
    FfnInStep::run_tile(*pass.kernels, ffn, thread, {first_row, first_row + n}, slot, panels);
  }
}

/// out of the tokens += their weight times the product of their row. tokens: [rows.size()], null: their row; weights: the same,
/// null: 1.
void ExpertsOutStep::add_product(const Pass& pass, int thread, const weights::Linear& linear, const Rows& in, Range rows,
                                 const int* tokens, const float* weights, Range panels) const noexcept {
  const Range outputs = rows_of(panels, linear);
  const int n_tile = std::min(kFfnTileFloats / outputs.size(), tile_tokens(in));
  float* products = o_.scratch + size(thread) * o_.scratch_stride;
  for (int first = rows.first; first < rows.last; first += n_tile) {
    const int n = std::min(n_tile, rows.last - first);
    multiply(*pass.kernels, linear, in, {first, first + n}, panels, products, size(outputs.size()));
    for (int i = 0; i < n; ++i) {
      const int token = tokens ? tokens[first + i] : first + i;
      float* out = o_.out + size(token) * size(linear.weight.n_rows) + size(outputs.first);
      pass.kernels->add(weights ? weights[first + i] : 1.0f, products + size(i) * size(outputs.size()), outputs.size(), out);
    }
  }
}

void ExpertsOutStep::run(const Pass& pass, Items items) const noexcept {
  const int n_tokens = pass.n_tokens(), n_panels = panel_count(*o_.down), d_model = o_.down->weight.n_rows;
  // Every range reads the inner rows of all tokens: with several it pays only for some panels at once.
  const int unit = n_tokens == 1 ? 1 : 4, n_units = (n_panels + unit - 1) / unit;
  const Routing& r = o_.routing;
  int first, last;
  while (items.take(n_units, kFfnTileFloats / kernels::kPanelRows / unit, first, last)) {
    const Range panels{first * unit, std::min(last * unit, n_panels)}, outputs = rows_of(panels, *o_.down);
    const auto place = [&](int token) { return size(token) * size(d_model) + size(outputs.first); };
    for (int token = 0; token < n_tokens; ++token) std::fill_n(o_.out + place(token), outputs.size(), 0.0f);
    for (int group = 0; group < *r.n_groups; ++group)
      add_product(pass, items.thread(), o_.down->part(r.group_experts[group]), o_.in,
                  {r.group_begins[group], r.group_begins[group + 1]}, r.slot_tokens, r.slot_weights, panels);
    if (o_.shared_down)
      add_product(pass, items.thread(), *o_.shared_down, o_.shared_in, {0, n_tokens}, nullptr, r.shared_weights, panels);
    if (!o_.residual) continue;
    for (int token = 0; token < n_tokens; ++token)
      pass.kernels->add(o_.residual_scale, o_.out + place(token), outputs.size(), o_.residual + place(token));
  }
}

} // namespace mote::decoder

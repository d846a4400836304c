#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "bench/study.h"
#include "mote/memory.h"

namespace bench {
namespace {

using mote::MemoryPlan;
using mote::Result;

constexpr std::array<int, 4> kContexts = {2048, 8192, 32768, 131072};
constexpr int kContextOfPaper = 32000;
constexpr std::array<int, 5> kVocabularies = {32000, 50304, 102400, 151936, 250880};
/// Of the machine's memory, that a measured run may take.
constexpr double kShareOfMachine = 0.6;

double mb(std::size_t bytes) { return rounded(static_cast<double>(bytes) / 1e6, 1); }

/// Without caring for what the model was trained for.
Result<MemoryPlan> plan_of(mote::ModelSpec spec, const Options& options, int context) {
  spec.n_ctx = std::max(spec.n_ctx, context);
  mote::SessionOptions session;
  session.n_ctx = context;
  session.n_threads = options.threads[0];
  return mote::memory_of(spec, options.types[0], session);
}

/// Learned positions end where their table does.
bool reaches(const mote::ModelSpec& spec, int context) { return spec.embedding.n_positions == 0 || context <= spec.n_ctx; }

struct Point {
  const Source* source;
  int context;
  MemoryPlan plan;
};

Result<std::vector<Point>> predict(const Options& options) {
  std::vector<Point> points;
  for (const Source& source : options.sources)
    for (const int context : kContexts) {
      if (!reaches(*source.spec, context)) continue;
      const auto plan = plan_of(*source.spec, options, context);
      if (!plan) return plan.error();
      points.push_back({&source, context, *plan});
    }
  return points;
}

bool fits(const MemoryPlan& plan) {
  const double memory = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  return static_cast<double>(plan.total()) < kShareOfMachine * memory;
}

/// What is predicted and, where there is a run, what its session says and the process held.
Result<Study> row_of(const Point& point, Runs& runs, int& n_differ) {
  const mote::MemoryUse& use = point.plan.use;
  Study row = {
      point.source->name,     point.context,
      mb(use.parameters),     mb(use.kv_cache),
      mb(use.state),          mb(use.compute),
      mb(point.plan.total()), rounded(100 * static_cast<double>(use.kv_cache) / static_cast<double>(point.plan.total()), 1)};
  if (!fits(point.plan)) {
    row.insert(row.end(), {"does not fit", Study()});
    return row;
  }
  const std::string shape = fmt::format("base={},ctx={}", point.source->name, std::max(point.source->spec->n_ctx, point.context));
  const auto answer = runs.measure({{"--shape", shape}, runs.options().types[0], {50}, 4, point.context, 1, runs.options().seed});
  if (!answer) return answer.error();
  if (answer->runs.empty()) {
    row.insert(row.end(), {answer->problem, Study()});
    return row;
  }
  const nlohmann::json& memory = answer->runs[0]["memory"];
  std::size_t held = 0;
  for (const char* part : {"parameters", "kv_cache", "state", "compute", "tokenizer"}) held += memory.value(part, std::size_t{0});
  n_differ += held != point.plan.total() ? 1 : 0;
  row.insert(row.end(), {mb(held), mb(memory["process_peak"].get<std::size_t>())});
  return row;
}

Result<std::vector<Study>> by_vocabulary(const Options& options) {
  std::vector<Study> rows;
  mote::ModelSpec spec = *options.sources[0].spec;
  for (const int vocabulary : kVocabularies) {
    spec.n_vocab = vocabulary;
    const auto plan = plan_of(spec, options, kContexts[0]);
    if (!plan) return plan.error();
    const auto part = [&](mote::Component c) { return mb(plan->parameters[static_cast<std::size_t>(c)]); };
    rows.push_back({vocabulary, part(mote::Component::embedding), part(mote::Component::attention), part(mote::Component::ffn),
                    part(mote::Component::lm_head), mb(plan->use.compute), mb(plan->total())});
  }
  return rows;
}

struct Share {
  std::string model;
  double of_cache = 0;
};

/// What the cache takes at the context that the paper speaks of, in rising order.
Result<std::vector<Share>> shares_of_cache(const Options& options) {
  std::vector<Share> shares;
  for (const Source& source : options.sources) {
    if (!reaches(*source.spec, kContextOfPaper)) continue;
    const auto plan = plan_of(*source.spec, options, kContextOfPaper);
    if (!plan) return plan.error();
    shares.push_back({source.name, static_cast<double>(plan->use.kv_cache) / static_cast<double>(plan->total())});
  }
  std::ranges::sort(shares, {}, &Share::of_cache);
  return shares;
}

void add_findings(Study& study, const std::vector<Share>& shares, const std::vector<Study>& vocabularies) {
  if (!shares.empty()) {
    const Share &least = shares.front(), &most = shares.back();
    add_finding(study, fmt::format("With a context of {} the KV cache takes more than 80% of the memory.", kContextOfPaper),
                fmt::format("{:.0f}% ({}) to {:.0f}% ({}), in {} of {} models more than 80%", 100 * least.of_cache, least.model,
                            100 * most.of_cache, most.model,
                            std::ranges::count_if(shares, [](const Share& s) { return s.of_cache > 0.8; }), shares.size()),
                least.of_cache > 0.8);
  }
  const double small = vocabularies.front()[5].get<double>(), large = vocabularies.back()[5].get<double>();
  add_finding(study, "A larger vocabulary needs a larger compute buffer.",
              fmt::format("{:.1f} MB with {} tokens, {:.1f} MB with {}: the logits of one token are all that it adds", small,
                          kVocabularies.front(), large, kVocabularies.back()),
              large > 1.6 * small);
}

Study chart_of(const std::vector<Point>& points) {
  Study names = Study::array(), parameters = Study::array(), cache = Study::array(), compute = Study::array();
  for (const Point& p : points) {
    if (p.context != kContexts[2]) continue;
    names.push_back(p.source->name);
    parameters.push_back(mb(p.plan.use.parameters));
    cache.push_back(mb(p.plan.use.kv_cache + p.plan.use.state));
    compute.push_back(mb(p.plan.use.compute));
  }
  return {{"kind", "stacked"},
          {"title", fmt::format("Memory with a context of {}, predicted", kContexts[2])},
          {"y", "MB"},
          {"categories", std::move(names)},
          {"series", Study::array({{{"name", "parameters"}, {"values", std::move(parameters)}},
                                   {{"name", "KV cache and state"}, {"values", std::move(cache)}},
                                   {{"name", "compute buffer"}, {"values", std::move(compute)}}})}};
}

} // namespace

Result<Study> study_memory(const Options& options, Progress& progress) {
  const auto points = predict(options);
  if (!points) return points.error();
  Runs runs(options, progress, static_cast<int>(std::ranges::count_if(*points, [](const Point& p) { return fits(p.plan); })));
  std::vector<Study> rows;
  int n_differ = 0;
  for (const Point& point : *points) {
    auto row = row_of(point, runs, n_differ);
    if (!row) return std::move(row).error();
    rows.push_back(*std::move(row));
  }
  const auto vocabularies = by_vocabulary(options);
  if (!vocabularies) return vocabularies.error();
  const auto shares = shares_of_cache(options);
  if (!shares) return shares.error();
  Study study = new_study(
      "Memory: parameters, KV cache, buffers", options,
      {fmt::format(
          "{}, an F16 cache, predicted from the shapes alone; contexts longer than a model's own are computed all the same. "
          "Measured where it takes less than {:.0f}% of the machine's memory: what a session with that context says it holds "
          "({} of them not what was predicted), and the most that its process held in 54 tokens, without the pages of the "
          "cache that nobody has touched.",
          mote::mix_name(options.types[0]), 100 * kShareOfMachine, n_differ == 0 ? "none" : std::to_string(n_differ))});
  add_findings(study, *shares, *vocabularies);
  add_chart(study, chart_of(*points));
  add_table(
      study, "By context [MB]",
      {"model", "context", "parameters", "KV cache", "state", "compute", "predicted", "KV cache [%]", "session", "process peak"},
      std::move(rows));
  add_table(study,
            fmt::format("By vocabulary: {} with other vocabularies, context {} [MB]", options.sources[0].name, kContexts[0]),
            {"vocabulary", "embedding", "attention", "ffn", "lm_head", "compute", "predicted"}, *vocabularies);
  return study;
}

} // namespace bench

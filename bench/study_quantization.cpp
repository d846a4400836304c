#include <fmt/format.h>

#include <algorithm>

#include "bench/study.h"

namespace bench {
namespace {

using mote::Result;
using Json = nlohmann::json;

/// The rounds in rising order of a time. Each is disturbed by what else the machine does in that round.
std::vector<const Json*> sorted(const std::vector<Json>& rounds, double (*time)(const Json&)) {
  std::vector<const Json*> runs;
  for (const Json& run : rounds) runs.push_back(&run);
  std::ranges::sort(runs, {}, [&](const Json* run) { return time(*run); });
  return runs;
}

const Json& middle(const std::vector<Json>& rounds, double (*time)(const Json&)) {
  return *sorted(rounds, time)[(rounds.size() - 1) / 2];
}

/// What was measured in one type.
struct Curve {
  std::string type;
  std::vector<std::vector<Json>> prompts; ///< [n_prompts, rounds]
  const Json& run(std::size_t prompt) const { return middle(prompts[prompt], first_token_ms); }
  const Json& longest() const { return run(prompts.size() - 1); }
  const Json& decode() const { return middle(prompts.back(), bench::token_ms); }
  double token_ms() const { return bench::token_ms(decode()); }
  double fastest_ms(std::size_t prompt) const { return first_token_ms(*sorted(prompts[prompt], first_token_ms).front()); }
};

/// Whether a's first token comes before b's: by more than noise, in the median and in the fastest round.
bool before(const Curve& a, const Curve& b, std::size_t prompt) {
  constexpr double kNoise = 1.02;
  return first_token_ms(a.run(prompt)) * kNoise < first_token_ms(b.run(prompt)) &&
         a.fastest_ms(prompt) * kNoise < b.fastest_ms(prompt);
}

const Json& matrices(const Json& phase) {
  const Json& operations = phase["operations"];
  return operations.contains("mul_mat") ? operations["mul_mat"] : operations["mul_mat_vec"];
}

double gmacs(const Json& row) { return row["operations_per_second"].get<double>() / 2e9; }
double gigabytes(const Json& row) { return row["bytes_per_second"].get<double>() / 1e9; }

/// Which part of prefill makes the difference between two types at a prompt.
std::string largest_difference(const Json& slower, const Json& faster) {
  std::string name;
  double largest = 0, all = 0;
  for (const auto& [component, row] : slower["phases"]["prefill"]["components"].items()) {
    const double more = ms(row["ns"]) - ms(faster["phases"]["prefill"]["components"][component]["ns"]);
    all += more;
    if (more > largest) {
      largest = more;
      name = component;
    }
  }
  return fmt::format("{} {:.1f} of {:.1f} ms", name, largest, all);
}

/// A row for each pair of types whose order changes between two prompts.
std::vector<Study> crossings(const std::vector<Curve>& curves, const std::vector<int>& prompts) {
  std::vector<Study> rows;
  for (std::size_t a = 0; a < curves.size(); ++a)
    for (std::size_t b = a + 1; b < curves.size(); ++b) {
      const Curve *leader = nullptr, *other = nullptr;
      std::size_t led_at = 0;
      for (std::size_t p = 0; p < prompts.size(); ++p) {
        const bool a_leads = before(curves[a], curves[b], p);
        if (!a_leads && !before(curves[b], curves[a], p)) continue;
        const Curve *now = a_leads ? &curves[a] : &curves[b], *then = a_leads ? &curves[b] : &curves[a];
        if (leader != nullptr && leader != now) {
          const Json &fast = now->run(p), &slow = then->run(p);
          const Json &fast_mat = matrices(fast["phases"]["prefill"]), &slow_mat = matrices(slow["phases"]["prefill"]);
          rows.push_back({fmt::format("{} before {}", leader->type, other->type), prompts[led_at],
                          fmt::format("{} before {}", now->type, then->type), prompts[p], largest_difference(slow, fast),
                          fmt::format("{:.0f} against {:.0f} GMAC/s", gmacs(fast_mat), gmacs(slow_mat)),
                          fmt::format("{:.1f} against {:.1f} GB/s", gigabytes(matrices(leader->run(led_at)["phases"]["prefill"])),
                                      gigabytes(matrices(other->run(led_at)["phases"]["prefill"])))});
        }
        leader = now;
        other = then;
        led_at = p;
      }
    }
  return rows;
}

Study lines(const std::vector<Curve>& curves, const std::vector<int>& prompts) {
  Study series = Study::array();
  for (const Curve& curve : curves) {
    Study points = Study::array();
    for (std::size_t p = 0; p < prompts.size(); ++p) points.push_back({prompts[p], rounded(first_token_ms(curve.run(p)), 2)});
    series.push_back({{"name", curve.type}, {"points", std::move(points)}});
  }
  return {{"kind", "line"},
          {"title", "Time to first token"},
          {"x", "tokens of the prompt"},
          {"y", "ms"},
          {"series", std::move(series)}};
}

Study bars(const std::vector<Curve>& curves) {
  Study types = Study::array(), values = Study::array();
  for (const Curve& curve : curves) {
    types.push_back(curve.type);
    values.push_back(rounded(curve.token_ms(), 3));
  }
  return {{"kind", "bar"},
          {"title", "Per decoded token"},
          {"y", "ms"},
          {"categories", std::move(types)},
          {"series", Study::array({{{"name", "decode"}, {"values", std::move(values)}}})}};
}

const Curve* curve_of(const std::vector<Curve>& curves, std::string_view type) {
  for (const Curve& curve : curves)
    if (curve.type == type) return &curve;
  return nullptr;
}

void add_findings(Study& study, const std::vector<Curve>& curves, int longest) {
  const Curve *f16 = curve_of(curves, "F16"), *q4 = curve_of(curves, "Q4_K_M"), *q3 = curve_of(curves, "Q3_K_M");
  const Curve *q8 = curve_of(curves, "Q8_0"), *q5 = curve_of(curves, "Q5_K_M"), *q6 = curve_of(curves, "Q6_K");
  const auto prefill = [](const Curve* curve) { return first_token_ms(curve->longest()); };
  if (f16 != nullptr && q4 != nullptr) {
    const double in_prefill = prefill(f16) / prefill(q4), in_decode = f16->token_ms() / q4->token_ms();
    add_finding(study, "Quantization helps decode more than prefill.",
                fmt::format("Q4_K_M against F16: {:.2f} times as fast with a prompt of {}, {:.2f} times in decode", in_prefill,
                            longest, in_decode),
                in_decode > in_prefill);
  }
  if (q3 != nullptr && q4 != nullptr)
    add_finding(study, "Four bits are faster than three, in prefill and in decode: three have an irregular width.",
                fmt::format("Q4_K_M {:.0f} ms and {:.2f} ms a token, Q3_K_M {:.0f} ms and {:.2f} ms", prefill(q4), q4->token_ms(),
                            prefill(q3), q3->token_ms()),
                prefill(q4) < prefill(q3) && q4->token_ms() < q3->token_ms());
  if (q5 != nullptr && q6 != nullptr && q8 != nullptr) {
    const double nearest = q8->token_ms() / std::max(q5->token_ms(), q6->token_ms());
    add_finding(
        study, "Five and six bits take as long as eight.",
        fmt::format("per token Q5_K_M {:.2f} ms, Q6_K {:.2f} ms, Q8_0 {:.2f} ms", q5->token_ms(), q6->token_ms(), q8->token_ms()),
        nearest < 1.1);
  }
}

/// First tokens of all prompts, then decode, with what the products of matrices reach at the longest prompt and in decode.
void add_tables(Study& study, const std::vector<Curve>& curves, const std::vector<int>& prompts) {
  std::vector<std::string> columns = {"type"};
  for (const int prompt : prompts) columns.push_back(fmt::format("prompt {} [ms]", prompt));
  columns.insert(columns.end(), {"per token [ms]", "prefill GMAC/s", "decode GB/s", "memory GB/s"});
  std::vector<Study> rows;
  for (const Curve& curve : curves) {
    Study row = {curve.type};
    for (std::size_t p = 0; p < prompts.size(); ++p) row.push_back(rounded(first_token_ms(curve.run(p)), 2));
    row.push_back(rounded(curve.token_ms(), 3));
    row.push_back(rounded(gmacs(matrices(curve.longest()["phases"]["prefill"])), 1));
    row.push_back(rounded(gigabytes(curve.decode()["phases"]["decode"]["operations"]["mul_mat_vec"]), 1));
    row.push_back(rounded(curve.decode()["roofline"]["read_bytes_per_second"].get<double>() / 1e9, 1));
    rows.push_back(std::move(row));
  }
  add_table(study, "Time to first token by prompt, and per token", std::move(columns), std::move(rows));
  std::vector<Study> changes = crossings(curves, prompts);
  if (!changes.empty())
    add_table(study, "Crossings: where a longer prompt changes which of two types is faster",
              {"first", "at prompt", "then", "at prompt", "what makes the difference then", "products of matrices then",
               "reading weights at first"},
              std::move(changes));
}

/// All types in turn, again and again: what else the machine does meanwhile is not the fault of one type.
Result<std::vector<Curve>> measure(const Options& options, Progress& progress) {
  Runs runs(options, progress, static_cast<int>(options.types.size()) * options.repeat);
  std::vector<Curve> curves;
  for (const mote::Mix type : options.types)
    curves.push_back({std::string(mote::mix_name(type)), std::vector<std::vector<Json>>(options.prompts.size())});
  for (int round = 0; round < options.repeat; ++round)
    for (std::size_t i = 0; i < curves.size(); ++i) {
      const auto answer = runs.measure({{"--preset", options.sources[0].name},
                                        options.types[i],
                                        options.prompts,
                                        options.generates[0],
                                        0,
                                        1,
                                        options.seed + static_cast<std::uint64_t>(round)});
      if (!answer) return answer.error();
      if (answer->runs.size() != options.prompts.size()) return mote::Error{mote::ErrorCode::io, answer->problem};
      for (std::size_t p = 0; p < options.prompts.size(); ++p) curves[i].prompts[p].push_back(answer->runs[p]);
    }
  return curves;
}

} // namespace

Result<Study> study_quantization(const Options& options, Progress& progress) {
  const auto measured = measure(options, progress);
  if (!measured) return measured.error();
  const std::vector<Curve>& curves = *measured;
  Study study = new_study(
      "Quantization: types and prompts", options,
      {fmt::format(
          "{} with random weights, {} tokens generated behind each prompt; medians of {} rounds of all types. \"memory\" is "
          "the bandwidth that the run with the median found: where it differs, decode differs with it.",
          options.sources[0].name, options.generates[0], options.repeat)});
  add_findings(study, curves, options.prompts.back());
  add_chart(study, lines(curves, options.prompts));
  add_chart(study, bars(curves));
  add_tables(study, curves, options.prompts);
  return study;
}

} // namespace bench

#include "bench/options.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/option_words.h"
#include "bench/study.h"

namespace bench {
namespace {

using mote::Error;
using mote::ErrorCode;
using mote::Result;
using mote::Status;

constexpr int kMaxTokens = 1 << 24, kMaxThreads = 1024, kMaxRepeat = 1000;

/// The words of the command line, before they are understood.
struct Words {
  std::vector<std::string> presets, files, shapes, types, prompts, generates, threads, isas;
  std::string repeat = "3", context, seed = "0", format = "table", out, html, save, cache_dir, study, runs_dir, published;
  bool verbose = false, list_presets = false;
  InstrumentWords instruments;
  PredictWords predict;
};

void describe(CLI::App& app, Words& w) {
  add(app, "--preset", "NAME", w.presets,
      "Published shape, with random weights; see --list-presets (default: qwen2-0.5b,qwen1.5-0.5b)")
      ->delimiter(',');
  add(app, "--model", "FILE", w.files, "GGUF file or Hugging Face directory, with the types that it has");
  add(app, "--shape", "KEY=VALUE,", w.shapes, "Any shape, with random weights; README lists the keys");
  add(app, "--type", "MIX", w.types, "Types that random weights get (default: Q4_K_M)")->delimiter(',');
  add(app, "--prompt", "N", w.prompts, "Tokens of the prompt (default: 50)")->delimiter(',');
  add(app, "--generate", "N", w.generates, "Tokens to generate (default: 50)")->delimiter(',');
  add(app, "--threads", "N", w.threads, "Threads (default: the performance cores that this process may use)")->delimiter(',');
  add(app, "--isa", "NAME", w.isas,
      "scalar, avx2, avx-vnni, avx512, neon, neon-dotprod or neon-i8mm (default: the machine's best)")
      ->delimiter(',');
  add(app, "--repeat", "N", w.repeat, "Measured runs of each combination, after one to warm up (default: 3)");
  add(app, "--context", "N", w.context, "Positions of the KV cache (default: what prompt and generation need)");
  add(app, "--seed", "N", w.seed, "Of the random weights and prompts (default: 0)");
  add(app, "--format", "NAME", w.format, "table, markdown, json or csv (default: table)");
  add(app, "--out", "FILE", w.out, "Write to this file, which appears when it is complete (default: standard output)");
  add(app, "--html", "FILE", w.html, "Write a page for a browser as well: charts and tables in one file");
  add(app, "--cache-dir", "DIR", w.cache_dir,
      "Keep packed weights of --model files in this folder; they open faster the next time");
  add(app, "--save", "FILE", w.save,
      "Write the preset or shape with its random weights as a GGUF file, with a made-up tokenizer, and measure nothing");
  w.instruments.describe(app);
  app.add_flag("--verbose", w.verbose, "Show the layers, and the steps of the plan with their barriers, in the table");
  app.add_flag("--list-presets", w.list_presets, "List the presets");
  std::string what =
      "A study of \"Demystifying Small Language Models\" (ACL 2025), as Markdown or JSON, each run in a new process:";
  std::vector<std::string> names;
  for (const StudyKind& kind : all_studies()) {
    what += fmt::format("\n{:<13} {}", kind.name, kind.what);
    names.emplace_back(kind.name);
  }
  CLI::App* study = app.add_subcommand("study", what);
  study->add_option("name", w.study, "Of the study")->required()->check(CLI::IsMember(names));
  add(*study, "--runs", "DIR", w.runs_dir, "Keep the runs' reports in this folder; what is there already is not measured again");
  add(*study, "--published", "FILE", w.published,
      "ablation: lines of name,prefill,decode in tokens/s behind a first line, to compare with");
  study->fallthrough();
  describe_predict(app, w.predict);
  app.footer(
      "Options with \"...\" may be given several times, or (but for --model and --shape) with several values separated by\n"
      "commas: every combination is measured.");
}

Result<Format> parse_format(const std::string& word) {
  if (word == "table") return Format::table;
  if (word == "markdown") return Format::markdown;
  if (word == "json") return Format::json;
  if (word == "csv") return Format::csv;
  return usage(fmt::format("--format: expected table, markdown, json or csv, found '{}'", word));
}

Result<mote::Isa> parse_isa(const std::string& word) {
  Result<mote::Isa> isa = of_option("--isa", mote::isa_from_name(word));
  if (isa && !mote::isa_available(*isa))
    return Error{ErrorCode::unsupported, fmt::format("--isa: this machine cannot run {}", word)};
  return isa;
}

/// What a study measures, unless told otherwise.
std::vector<std::string> presets_of(std::string_view study) {
  if (study == "quantization") return {"phi-1.5"};
  if (study == "breakdown" || study.empty()) return {"qwen2-0.5b", "qwen1.5-0.5b"};
  if (study == "memory")
    return {"qwen2-0.5b",     "qwen1.5-0.5b", "smollm-135m", "openelm-450m", "bloom-560m",
            "tinyllama-1.1b", "llama-3.2-1b", "phi-1.5",     "gemma-2b",     "minicpm3-4b"};
  std::vector<std::string> names;
  for (const mote::Preset& preset : mote::all_presets())
    if (preset.group == (study == "ablation" ? "table 9" : "table 1") && !preset.shape.empty()) names.push_back(preset.name);
  return names;
}

std::vector<mote::Mix> types_of(std::string_view study) {
  using enum mote::Mix;
  return study == "quantization" ? std::vector{F16, Q8_0, Q6_K, Q5_K_M, Q4_K_M, Q4_0, Q3_K_M} : std::vector{Q4_K_M};
}

std::vector<int> prompts_of(std::string_view study) {
  return study == "quantization" ? std::vector{1, 10, 50, 100, 200, 350, 500} : std::vector{50};
}

Status read_sources(Options& o, const Words& w) {
  std::vector<std::string> presets = w.presets;
  if (presets.empty() && w.files.empty() && w.shapes.empty())
    presets = w.predict.verify ? presets_to_verify() : presets_of(w.study);
  const auto with_spec = [](const char* option, Result<mote::ModelSpec> (*read)(std::string_view)) {
    return [=](const std::string& word) -> Result<Source> {
      Result<mote::ModelSpec> spec = of_option(option, read(word));
      if (!spec) return std::move(spec).error();
      return Source{word, *std::move(spec)};
    };
  };
  if (Status s = parse_all(o.sources, presets, with_spec("--preset", mote::spec_from_preset)); !s) return s;
  if (Status s = parse_all(o.sources, w.shapes, with_spec("--shape", mote::spec_from_shape)); !s) return s;
  for (const std::string& path : w.files) o.sources.push_back({path, std::nullopt});
  if (!w.types.empty() && o.sources.size() == w.files.size())
    return usage("--type says which types random weights get, but a --model file has its own");
  return {};
}

Status read_lists(Options& o, const Words& w) {
  const auto tokens = [](const char* option) {
    return [=](const std::string& word) { return parse_number(option, word, 1, kMaxTokens); };
  };
  if (Status s =
          parse_all(o.types, w.types, [](const std::string& word) { return of_option("--type", mote::mix_from_name(word)); });
      !s)
    return s;
  if (Status s = parse_all(o.prompts, w.prompts, tokens("--prompt")); !s) return s;
  if (Status s = parse_all(o.generates, w.generates, tokens("--generate")); !s) return s;
  if (Status s = parse_all(o.threads, w.threads,
                           [](const std::string& word) { return parse_number("--threads", word, 1, kMaxThreads); });
      !s)
    return s;
  if (Status s = parse_all(o.isas, w.isas, parse_isa); !s) return s;

  if (o.types.empty()) o.types = types_of(w.study);
  if (o.prompts.empty()) o.prompts = prompts_of(w.study);
  if (o.generates.empty()) o.generates = {w.study == "quantization" ? 20 : 50};
  if (o.threads.empty()) o.threads = {mote::default_thread_count()};
  if (o.isas.empty()) {
    const Result<mote::Isa> best = mote::default_isa();
    if (!best) return best.error();
    o.isas = {*best};
  }
  return {};
}

Status read_single_values(Options& o, const Words& w) {
  const auto repeat = parse_number("--repeat", w.repeat, 1, kMaxRepeat);
  if (!repeat) return repeat.error();
  o.repeat = *repeat;
  if (!w.context.empty()) {
    const auto context = parse_number("--context", w.context, 1, kMaxTokens);
    if (!context) return context.error();
    o.context = *context;
  }
  const auto seed = parse_number<std::uint64_t>("--seed", w.seed, 0, UINT64_MAX);
  if (!seed) return seed.error();
  o.seed = *seed;
  const auto format = parse_format(w.format);
  if (!format) return format.error();
  o.format = *format;
  auto instruments = w.instruments.read();
  if (!instruments) return std::move(instruments).error();
  o.instruments = *std::move(instruments);
  o.out = w.out;
  o.html = w.html;
  o.save = w.save;
  o.cache_dir = w.cache_dir;
  o.verbose = w.verbose;
  o.list_presets = w.list_presets;
  o.study = w.study;
  o.runs_dir = w.runs_dir;
  o.published = w.published;
  return {};
}

/// What can be known before any model is made: whether the runs fit its context.
Status check_contexts(const Options& o) {
  for (const Source& source : o.sources)
    for (const int prompt : o.prompts)
      for (const int generate : o.generates)
        if (source.spec)
          if (const auto context = context_of_run(source.name, source.spec->n_ctx, o.context, prompt, generate); !context)
            return context.error();
  return {};
}

/// Each study has its own lists; the others measure one combination.
Status check_study(const Options& o, const Words& w) {
  const auto one = [](const auto& list) { return list.size() == 1; };
  const bool lists = o.study == "quantization";
  if (!w.files.empty() || !w.shapes.empty() || !one(o.generates) || !one(o.threads) || !one(o.isas) || o.context != 0 ||
      (lists ? !one(o.sources) : !one(o.types) || !one(o.prompts)))
    return usage(fmt::format("study {}: measures {}, with one --generate, --threads and --isa, and no --context", o.study,
                             lists ? "one --preset in several types and prompts" : "presets with one --type and --prompt"));
  if (o.format == Format::csv) return usage("study: --format is markdown or json");
  if (!o.published.empty() && o.study != "ablation") return usage("--published belongs to study ablation");
  return {};
}

Status check_predict(const Options& o, const Words& w) {
  if (!o.html.empty()) return usage("--html: predictions have no page");
  const auto one = [](const auto& list) { return list.size() == 1; };
  if ((o.predict->search || o.predict->verify) &&
      !(one(o.types) && one(o.prompts) && one(o.generates) && one(o.threads) && one(o.isas)))
    return usage("search and predict --verify: take one --type, --prompt, --generate, --threads and --isa");
  if (o.predict->search && !(w.presets.empty() && w.files.empty() && w.shapes.empty()))
    return usage("search: makes up its shapes, but a --preset, --shape or --model is given");
  if (o.predict->verify && !w.files.empty()) return usage("predict --verify: measures presets and shapes, not a --model file");
  if (o.predict->verify && o.format != Format::table) return usage("predict --verify: writes a table, without --format");
  return {};
}

} // namespace

Result<int> context_of_run(const std::string& model, int model_n_ctx, int asked, int prompt, int generate) {
  if (asked > model_n_ctx)
    return usage(fmt::format("--context: {} has {} positions at most, {} were asked for", model, model_n_ctx, asked));
  const int context = asked > 0 ? asked : model_n_ctx;
  if (prompt > context)
    return usage(fmt::format("--prompt: {} tokens are longer than the context of {} positions ({})", prompt, context, model));
  if (prompt + generate > context)
    return usage(fmt::format("--generate: {} tokens after a prompt of {} do not fit the context of {} positions ({})", generate,
                             prompt, context, model));
  return asked > 0 ? asked : prompt + generate;
}

Result<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  Words words;
  CLI::App app("Measures how language models spend their time on this machine, in prefill and in decode.", "bench_breakdown");
  describe(app, words);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    options.help = app.help();
    return options;
  } catch (const CLI::ParseError& error) {
    return usage(error.what());
  }
  if (Status s = read_single_values(options, words); !s) return s.error();
  if (options.list_presets) return options;
  Result<std::optional<PredictOptions>> predict = read_predict(words.predict);
  if (!predict) return std::move(predict).error();
  options.predict = *std::move(predict);
  if (Status s = read_sources(options, words); !s) return s.error();
  if (Status s = read_lists(options, words); !s) return s.error();
  if (!options.save.empty()) {
    if (options.sources.size() == 1 && options.sources[0].spec && options.types.size() == 1) return options;
    return usage("--save writes one model: expected one --preset or --shape, and one --type");
  }
  if (Status s = check_contexts(options); !s) return s.error();
  if (!options.study.empty())
    if (Status s = check_study(options, words); !s) return s.error();
  if (options.predict)
    if (Status s = check_predict(options, words); !s) return s.error();
  return options;
}

} // namespace bench

// Continues a text, token by token, and tells how fast.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "examples/arguments.h"
#include "mote/mote.h"

namespace {

constexpr std::string_view kHelp =
    R"(Usage: generate MODEL [options]
Prints the prompt and its continuation, then timings to stderr. Stops at the model's end token.
MODEL is a GGUF file or a Hugging Face directory (config.json and safetensors).

  -p TEXT        the prompt; default: none, the model starts by itself. Control tokens are recognised.
  -n N           tokens to generate at most (default 200)
  --temp X       temperature; 0 always takes the most likely token (default 0)
  --top-k N      sample from the N most likely tokens only; 0: all (default 0)
  --top-p X      sample from the fewest tokens whose probabilities add up to X only (default 1)
  --seed N       of the sampling (default 0)
  --threads N    default: the performance cores of this machine
  --context N    positions of the KV cache; default: what prompt and -n need, at most the model's
  --cache-dir D  keep packed weights in this folder, and start faster the next time
  --isa NAME     scalar, avx2, avx-vnni, avx512, neon, neon-dotprod or neon-i8mm; default: the machine's best
)";

/// Of anything that is counted; two of them fit an int.
constexpr int kMost = 1'000'000'000;

struct Options {
  std::string model, prompt, cache_dir;
  int n_generate = 200;
  int n_threads = 0;
  int n_ctx = 0;
  mote::SamplerOptions sampling;
  std::optional<mote::Isa> isa;
};

Options read_options(examples::Arguments& args) {
  Options o;
  while (args.next()) {
    if (args.is("-p")) o.prompt = args.text();
    else if (args.is("-n")) o.n_generate = args.integer(0, kMost);
    else if (args.is("--temp")) o.sampling.temperature = args.number();
    else if (args.is("--top-k")) o.sampling.top_k = args.integer(0, kMost);
    else if (args.is("--top-p")) o.sampling.top_p = args.number();
    else if (args.is("--seed")) o.sampling.seed = args.integer<std::uint64_t>(0, UINT64_MAX);
    else if (args.is("--threads")) o.n_threads = args.integer(1, 1024);
    else if (args.is("--context")) o.n_ctx = args.integer(1, kMost);
    else if (args.is("--cache-dir")) o.cache_dir = args.text();
    else if (args.is("--isa")) o.isa = args.value(mote::isa_from_name(args.text()));
    else if (o.model.empty() && args.is_plain()) o.model = args.current();
    else args.unknown();
  }
  if (o.model.empty()) args.fail("which model? try --help");
  return o;
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void print_speed(const char* what, int n_tokens, double seconds) {
  std::fprintf(stderr, "%-8s%6d tokens in %.3f s", what, n_tokens, seconds);
  if (n_tokens > 0) std::fprintf(stderr, ", %.1f tokens/s", n_tokens / seconds);
  std::fputc('\n', stderr);
}

/// Writes at once, so that the text is seen as it comes.
bool print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

int run(const examples::Arguments& args, const Options& o) {
  auto sampler = mote::Sampler::create(o.sampling);
  if (!sampler) return report(args, sampler.error());

  const auto load_start = Clock::now();
  auto model =
      mote::Model::open(o.model, {.isa = o.isa, .n_threads = o.n_threads, .cache_dir = o.cache_dir, .progress = nullptr});
  if (!model) return report(args, model.error());
  if (model->cache().use == mote::CacheUse::failed)
    std::fprintf(stderr, "%s: packed weights are not kept: %s\n", args.program().c_str(), model->cache().problem.c_str());
  const int most_positions = model->spec().n_ctx;
  if (o.n_ctx > most_positions)
    args.fail("--context: this model has " + std::to_string(most_positions) + " positions, found " + std::to_string(o.n_ctx));
  const mote::Tokenizer* tokenizer = model->tokenizer();
  if (!tokenizer && !model->tokenizer_problem().empty()) return report(args, std::string(model->tokenizer_problem()));
  if (!tokenizer) return report(args, o.model + " holds no tokenizer");

  auto tokens = tokenizer->encode(o.prompt, {.bos = tokenizer->adds_bos(), .parse_special = true});
  if (!tokens) return report(args, tokens.error());
  if (tokens->empty()) {
    if (tokenizer->bos() < 0) return report(args, "the prompt is empty, and the model has no token to begin with");
    tokens->push_back(tokenizer->bos());
  }
  const int n_prompt = static_cast<int>(std::min<std::size_t>(tokens->size(), kMost));
  const int n_ctx = o.n_ctx > 0 ? o.n_ctx : std::min(most_positions, n_prompt + o.n_generate);
  auto session = mote::Session::create(*model, {.n_ctx = n_ctx, .n_threads = o.n_threads});
  if (!session) return report(args, session.error());
  const double load_seconds = seconds_since(load_start);

  const auto prompt_start = Clock::now();
  if (auto status = session->decode(*tokens); !status) return report(args, status.error());
  const double prompt_seconds = seconds_since(prompt_start);

  mote::TextStream stream(*tokenizer);
  for (const std::int32_t token : *tokens) {
    if (!print(stream.push(token))) return report(args, "cannot write to standard output");
  }
  const auto decode_start = Clock::now();
  int n_decoded = 0;
  for (int i = 0; i < o.n_generate; ++i) {
    const std::int32_t token = sampler->sample(session->logits());
    if (token < 0) return report(args, "the model's output is not a number");
    if (tokenizer->is_end(token)) break;
    if (!print(stream.push(token))) return report(args, "cannot write to standard output");
    if (i + 1 == o.n_generate || session->position() == session->n_ctx()) break;
    if (auto status = session->decode({&token, 1}); !status) return report(args, status.error());
    ++n_decoded;
  }
  const double decode_seconds = seconds_since(decode_start);
  if (!print(stream.finish())) return report(args, "cannot write to standard output");

  std::fprintf(stderr, "\nload    %.3f s, %d threads, %s\n", load_seconds, session->n_threads(),
               std::string(mote::isa_name(model->isa())).c_str());
  print_speed("prompt", n_prompt, prompt_seconds);
  print_speed("decode", n_decoded, decode_seconds);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  examples::Arguments args(argc, argv, kHelp);
  return run(args, read_options(args));
}

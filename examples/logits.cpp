// The logits of given tokens, as raw numbers or as their hash: for comparison with another program, or between ISAs, numbers
// of threads and batch sizes, which change no bit of them.
#include <unistd.h>

#include <bit>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "examples/arguments.h"
#include "examples/sha256.h"
#include "mote/mote.h"

namespace {

constexpr std::string_view kHelp =
    R"(Usage: logits MODEL --tokens 1,2,3 [options]
       logits --preset NAME | --shape KEY=VALUE,...  [--type MIX] [--seed N] --tokens 1,2,3 [options]
Computes the logits of the last token and writes them as little-endian float32, to standard output if nothing else is said.
MODEL is a GGUF file or a Hugging Face directory (config.json and safetensors).

  --tokens LIST   token ids, separated by commas
  --all           the logits of every token, not only of the last
  --out FILE      where to write
  --sha256        print the SHA-256 of what would be written instead
  --batch N       tokens computed in one pass (default 256)
  --threads N     default: the performance cores of this machine
  --isa NAME      scalar, avx2, avx-vnni, avx512, neon, neon-dotprod or neon-i8mm; default: the machine's best
  --cache-dir D   keep the file's packed weights in this folder, and start faster the next time
  --preset NAME   a published shape with random weights
  --shape LIST    any shape with random weights; the README lists the keys
  --type MIX      of the random weights (default Q4_K_M)
  --seed N        of the random weights (default 0)
)";

struct Options {
  std::string model, out, cache_dir;
  std::optional<mote::ModelSpec> spec;
  mote::Mix mix = mote::Mix::Q4_K_M;
  std::uint64_t seed = 0;
  std::vector<std::int32_t> tokens;
  bool all = false, sha256 = false;
  int n_batch = 256, n_threads = 0;
  std::optional<mote::Isa> isa;
};

Options read_options(examples::Arguments& args) {
  Options o;
  while (args.next()) {
    if (args.is("--tokens")) o.tokens = args.integers(0, INT32_MAX);
    else if (args.is("--all")) o.all = true;
    else if (args.is("--out")) o.out = args.text();
    else if (args.is("--sha256")) o.sha256 = true;
    else if (args.is("--batch")) o.n_batch = args.integer(1, 1 << 20);
    else if (args.is("--threads")) o.n_threads = args.integer(1, 1024);
    else if (args.is("--cache-dir")) o.cache_dir = args.text();
    else if (args.is("--isa")) o.isa = args.value(mote::isa_from_name(args.text()));
    else if (args.is("--preset")) o.spec = args.value(mote::spec_from_preset(args.text()));
    else if (args.is("--shape")) o.spec = args.value(mote::spec_from_shape(args.text()));
    else if (args.is("--type")) o.mix = args.value(mote::mix_from_name(args.text()));
    else if (args.is("--seed")) o.seed = args.integer<std::uint64_t>(0, UINT64_MAX);
    else if (o.model.empty() && args.is_plain()) o.model = args.current();
    else args.unknown();
  }
  if (o.model.empty() == !o.spec) args.fail("expected one model: a file, --preset or --shape; try --help");
  if (o.tokens.empty()) args.fail("which --tokens? try --help");
  if (o.sha256 && !o.out.empty()) args.fail("--out and --sha256 exclude each other");
  if (!o.sha256 && o.out.empty() && isatty(STDOUT_FILENO))
    args.fail("raw numbers are not for a terminal: --out FILE or --sha256");
  return o;
}

mote::Result<mote::Model> make_model(const Options& o) {
  const mote::ModelOptions options{.isa = o.isa, .n_threads = o.n_threads, .cache_dir = o.cache_dir, .progress = nullptr};
  return o.spec ? mote::Model::random(*o.spec, o.mix, o.seed, options) : mote::Model::open(o.model, options);
}

std::vector<std::byte> little_endian(std::span<const float> values) {
  std::vector<std::byte> bytes(values.size() * 4);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i]);
    for (std::size_t k = 0; k < 4; ++k) bytes[4 * i + k] = static_cast<std::byte>(bits >> (8 * k) & 0xff);
  }
  return bytes;
}

int write_out(const examples::Arguments& args, const Options& o, std::span<const std::byte> bytes) {
  if (o.sha256) {
    examples::Sha256 hash;
    hash.update(bytes);
    std::puts(hash.finish().c_str());
    return 0;
  }
  std::FILE* file = o.out.empty() ? stdout : std::fopen(o.out.c_str(), "wb");
  if (!file) return report(args, o.out + ": " + std::strerror(errno));
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  const bool closed = std::fclose(file) == 0;
  return written && closed ? 0 : report(args, (o.out.empty() ? "standard output" : o.out) + ": cannot be written");
}

int run(const examples::Arguments& args, const Options& o) {
  const auto model = make_model(o);
  if (!model) return report(args, model.error());
  // No more of a KV cache than is used; more tokens than the model's positions are refused by decode.
  const int n_ctx = static_cast<int>(std::min<std::size_t>(o.tokens.size(), static_cast<std::size_t>(model->spec().n_ctx)));
  auto session = mote::Session::create(*model, {.n_ctx = n_ctx, .n_batch = o.n_batch, .n_threads = o.n_threads});
  if (!session) return report(args, session.error());

  std::vector<float> all(o.all ? o.tokens.size() * static_cast<std::size_t>(model->spec().n_vocab) : 0);
  const auto status = o.all ? session->decode(o.tokens, all) : session->decode(o.tokens);
  if (!status) return report(args, status.error());
  return write_out(args, o, little_endian(o.all ? std::span<const float>(all) : session->logits()));
}

} // namespace

int main(int argc, char** argv) {
  examples::Arguments args(argc, argv, kHelp);
  return run(args, read_options(args));
}

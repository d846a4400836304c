// Rewrites a model file with other weight types.
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>

#include "examples/arguments.h"
#include "mote/quantize.h"

namespace {

std::string help() {
  std::string text =
      "Usage: quantize IN OUT.gguf --type MIX [--threads N]\n"
      "Writes the model with its weights in the types of a named mix. IN is a GGUF file or a Hugging Face directory. MIX is one\n"
      "of:\n ";
  for (const mote::Mix mix : mote::all_mixes()) text.append(" ").append(mote::mix_name(mix));
  return text += "\n";
}

} // namespace

int main(int argc, char** argv) {
  std::string in, out;
  std::optional<mote::Mix> mix;
  mote::QuantizeOptions options;
  const std::string help_text = help();
  examples::Arguments args(argc, argv, help_text);
  while (args.next()) {
    if (args.is("--type")) mix = args.value(mote::mix_from_name(args.text()));
    else if (args.is("--threads")) options.n_threads = args.integer(1, 1024);
    else if (in.empty() && args.is_plain()) in = args.current();
    else if (out.empty() && args.is_plain()) out = args.current();
    else args.unknown();
  }
  if (out.empty()) args.fail("which file shall be written? try --help");
  if (!mix) args.fail("which --type? try --help");
  options.mix = *mix;

  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal) {
    options.progress = [](double share) {
      std::fprintf(stderr, "\r%3.0f%%", 100 * share);
      return true;
    };
  }
  const auto status = mote::quantize_file(in, out, options);
  if (terminal) std::fputs("\r    \r", stderr);
  if (!status) return report(args, status.error());
  return 0;
}

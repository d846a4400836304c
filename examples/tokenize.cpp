// Text from standard input to tokens, on one line.
#include <cstdio>
#include <string>

#include "examples/arguments.h"
#include "mote/tokenizer.h"

namespace {

constexpr std::string_view kHelp =
    R"(Usage: tokenize MODEL [options] < TEXT
Prints the tokens of the text on one line. The file may hold a vocabulary without a model.
MODEL is a GGUF file or a Hugging Face directory (config.json and safetensors).

  --ids             as numbers (the default)
  --pieces          as the vocabulary writes them
  --bos             put the token that begins a sequence first
  --parse-special   recognise the names of control tokens in the text
)";

bool read_all(std::FILE* file, std::string& text) {
  char buffer[65536];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
  return std::ferror(file) == 0;
}

} // namespace

int main(int argc, char** argv) {
  std::string path;
  bool pieces = false;
  mote::EncodeOptions options;
  examples::Arguments args(argc, argv, kHelp);
  while (args.next()) {
    if (args.is("--ids")) pieces = false;
    else if (args.is("--pieces")) pieces = true;
    else if (args.is("--bos")) options.bos = true;
    else if (args.is("--parse-special")) options.parse_special = true;
    else if (path.empty() && args.is_plain()) path = args.current();
    else args.unknown();
  }
  if (path.empty()) args.fail("which model? try --help");

  const auto tokenizer = mote::Tokenizer::open(path);
  if (!tokenizer) return report(args, tokenizer.error());
  std::string text;
  if (!read_all(stdin, text)) return report(args, "cannot read standard input");
  const auto tokens = tokenizer->encode(text, options);
  if (!tokens) return report(args, tokens.error());

  std::string line;
  for (const std::int32_t token : *tokens) {
    if (!line.empty()) line += ' ';
    line += pieces ? std::string(tokenizer->text(token)) : std::to_string(token);
  }
  line += '\n';
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0) {
    return report(args, "cannot write to standard output");
  }
  return 0;
}

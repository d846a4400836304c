#include "bench/kernel_options.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>

#include "mote/model.h"

namespace bench {
namespace {

using mote::Error;
using mote::ErrorCode;
using mote::Result;

Result<mote::TensorType> parse_type(const std::string& word) {
  if (const auto type = mote::type_from_name(word)) return *type;
  std::string known;
  for (const mote::TypeInfo& info : mote::all_types()) known += (known.empty() ? "" : ", ") + std::string(info.name);
  return Error{ErrorCode::invalid_argument, fmt::format("--type: unknown type '{}'; there are {}", word, known)};
}

Result<mote::Isa> parse_isa(const std::string& word) {
  const auto isa = mote::isa_from_name(word);
  if (!isa) return Error{ErrorCode::invalid_argument, "--isa: " + isa.error().message};
  if (!mote::isa_available(*isa)) return Error{ErrorCode::unsupported, fmt::format("--isa: this machine cannot run {}", word)};
  return isa;
}

Result<Place> parse_place(const std::string& word) {
  if (word == "L2") return Place::l2;
  if (word == "DRAM") return Place::dram;
  return Error{ErrorCode::invalid_argument, fmt::format("--in: expected L2 or DRAM, found '{}'", word)};
}

Result<KernelOptions::Matrix> parse_matrix(const std::string& word) {
  KernelOptions::Matrix matrix;
  const char* const end = word.data() + word.size();
  const auto rows = std::from_chars(word.data(), end, matrix.n_rows);
  const bool cross = rows.ec == std::errc() && rows.ptr != end && *rows.ptr == 'x';
  const auto cols = cross ? std::from_chars(rows.ptr + 1, end, matrix.n_cols) : rows;
  constexpr int kMost = 1 << 20;
  if (!cross || cols.ec != std::errc() || cols.ptr != end || std::min(matrix.n_rows, matrix.n_cols) < 1 ||
      std::max(matrix.n_rows, matrix.n_cols) > kMost)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("--shape: expected ROWSxCOLUMNS such as 4864x896, each from 1 to {}, found '{}'", kMost, word)};
  return matrix;
}

/// Puts what the words mean in place of the defaults, if there are any.
template <class T>
mote::Status read(const std::vector<std::string>& words, Result<T> (*parse)(const std::string&), std::vector<T>& values) {
  if (!words.empty()) values.clear();
  for (const std::string& word : words) {
    Result<T> value = parse(word);
    if (!value) return std::move(value).error();
    values.push_back(*value);
  }
  return {};
}

} // namespace

Result<KernelOptions> parse_kernel_options(int argc, const char* const* argv, std::vector<int> tokens,
                                           std::vector<Place> places) {
  const auto isa = mote::default_isa();
  if (!isa) return isa.error();
  KernelOptions o{{}, {*isa}, {1}, {1}, std::move(places), {{}}, true, {}};
  for (const mote::TypeInfo& info : mote::all_types()) o.types.push_back(info.type);
  if (mote::default_thread_count() > 1) o.threads.push_back(mote::default_thread_count());

  std::vector<std::string> types, isas, in, shapes;
  bool no_libraries = false;
  CLI::App app(
      "Measures the kernels. Every combination is a benchmark, named program/type/ISA/shape/place/threads; Google\n"
      "Benchmark's options (--benchmark_filter=REGEX, --benchmark_format=json ...; see --benchmark_help) choose among them.");
  app.add_option("--type", types, "Types of the weights (default: all)")->delimiter(',')->type_name("NAME");
  app.add_option("--isa", isas, "Instruction sets (default: what a model would use)")->delimiter(',')->type_name("NAME");
  app.add_option("--threads", o.threads, "Threads (default: 1, and the performance cores that this process may use)")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  if (!tokens.empty()) {
    o.tokens = std::move(tokens);
    app.add_option("--tokens", o.tokens, fmt::format("Tokens (default: {})", fmt::join(o.tokens, ",")))
        ->delimiter(',')
        ->check(CLI::Range(1, 1 << 16))
        ->type_name("N");
  }
  app.add_option("--in", in, "Where the weights lie: L2, DRAM")->delimiter(',')->type_name("PLACE");
  app.add_option("--shape", shapes, "Rows and columns (default: 4096 columns; rows for half of L2, 4096 in DRAM)")
      ->delimiter(',')
      ->type_name("ROWSxCOLUMNS");
  app.add_flag("--no-libraries", no_libraries, "Leave out Eigen, OpenBLAS and XNNPACK");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    o.help = app.help();
    return o;
  } catch (const CLI::ParseError& error) {
    return Error{ErrorCode::invalid_argument, error.what()};
  }
  o.libraries = !no_libraries;
  if (mote::Status s = read(types, parse_type, o.types); !s) return s.error();
  if (mote::Status s = read(isas, parse_isa, o.isas); !s) return s.error();
  if (mote::Status s = read(in, parse_place, o.places); !s) return s.error();
  if (mote::Status s = read(shapes, parse_matrix, o.matrices); !s) return s.error();
  return o;
}

} // namespace bench

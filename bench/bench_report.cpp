// Compares reports of bench_breakdown: before and after a change, or two devices.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <iterator>
#include <new>

#include "bench/comparison.h"
#include "bench/complain.h"
#include "bench/output.h"
#include "bench/page.h"

namespace {

using bench::Output;
using mote::Error;
using mote::ErrorCode;
using mote::Result;
using mote::Status;

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> ignored; ///< of bench::kMatchedBy
  std::string format = "table", out, html;
  std::string help; ///< not empty: print this and do nothing else
};

Result<Options> parse_options(int argc, const char* const* argv) {
  Options o;
  CLI::App app("Compares reports of bench_breakdown --format json: the first with each of the others, run by run.",
               "bench_report");
  const std::vector<std::string> fields(std::begin(bench::kMatchedBy), std::end(bench::kMatchedBy));
  app.add_option("report", o.files, "Files to compare; a single one can be shown as a page")->required()->type_name("FILE");
  app.add_option("--ignore", o.ignored,
                 "Match runs that differ in this: threads and isa, for two devices; may be given several times")
      ->type_name("FIELD")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->check(CLI::IsMember(fields));
  app.add_option("--format", o.format, "table, markdown or json (default: table)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"table", "markdown", "json"}));
  app.add_option("--out", o.out, "Write to this file, which appears when it is complete (default: standard output)")
      ->type_name("FILE");
  app.add_option("--html", o.html, "Write a page for a browser as well")->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    o.help = app.help();
    return o;
  } catch (const CLI::ParseError& error) {
    return Error{ErrorCode::invalid_argument, error.what()};
  }
  if (o.files.size() == 1 && o.html.empty())
    return Error{ErrorCode::invalid_argument, "expected two reports or more to compare, or --html to show one as a page"};
  return o;
}

Status write_file(const std::string& path, const std::string& text) {
  auto output = Output::open(path);
  if (!output) return std::move(output).error();
  if (Status s = output->write(text); !s) return s;
  return output->finish();
}

Status run(const Options& options) {
  if (!options.help.empty()) return write_file("", options.help);
  std::vector<bench::SavedReport> reports;
  for (const std::string& path : options.files) {
    auto report = bench::read_report(path);
    if (!report) return std::move(report).error();
    reports.push_back(*std::move(report));
  }
  if (reports.size() == 1) return write_file(options.html, bench::page_of_report(reports[0].text));
  const bench::Comparison comparison = bench::compare(reports, options.ignored);
  const auto text = options.format == "json"       ? bench::comparison_json
                    : options.format == "markdown" ? bench::comparison_markdown
                                                   : bench::comparison_table;
  if (Status s = write_file(options.out, text(comparison)); !s) return s;
  return options.html.empty() ? Status()
                              : write_file(options.html, bench::page_of_comparison(bench::comparison_json(comparison)));
}

} // namespace

int main(int argc, char** argv) {
  try {
    const auto options = parse_options(argc, argv);
    if (!options) return bench::complain("bench_report", options.error());
    if (const Status status = run(*options); !status) return bench::complain("bench_report", status.error());
    return 0;
  } catch (const std::bad_alloc&) {
    return bench::complain("bench_report", {ErrorCode::out_of_memory, "out of memory"});
  }
}

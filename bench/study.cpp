#include "bench/study.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "bench/machine.h"
#include "bench/report.h"

extern char** environ;

namespace bench {
namespace {

using mote::Error;
using mote::ErrorCode;
using mote::Result;
using mote::Status;
using Json = nlohmann::json;

Error system_error(const char* what) { return {ErrorCode::io, fmt::format("{}: {}", what, std::strerror(errno))}; }

/// What a process wrote to its standard output and standard error, and whether it succeeded.
struct Finished {
  std::string out;
  bool succeeded = false;
};

std::string read_all(int fd) {
  std::string text;
  char buffer[1 << 14];
  for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR);)
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

/// Runs this program with other arguments.
Result<Finished> run_self(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("pipe");
  std::vector<char*> argv{const_cast<char*>("bench_breakdown")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  pid_t pid = 0;
  errno = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  const bool started = errno == 0;
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (!started) {
    ::close(ends[0]);
    return system_error("/proc/self/exe");
  }
  Finished finished;
  finished.out = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  finished.succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return finished;
}

std::vector<std::string> arguments_of(const Options& o, const std::string& preset) {
  return {"--preset",   preset,
          "--type",     std::string(mote::mix_name(o.types[0])),
          "--prompt",   std::to_string(o.prompts[0]),
          "--generate", std::to_string(o.generates[0]),
          "--threads",  std::to_string(o.threads[0]),
          "--isa",      std::string(mote::isa_name(o.isas[0])),
          "--repeat",   std::to_string(o.repeat),
          "--seed",     std::to_string(o.seed),
          "--format",   "json"};
}

double ms(const Json& ns) { return ns.get<double>() / 1e6; }

std::string row_of(const std::string& preset, const Finished& finished) {
  const Json report = finished.succeeded ? Json::parse(finished.out, nullptr, false) : Json();
  if (!report.is_object()) {
    std::string why = finished.out.substr(0, finished.out.find('\n'));
    return fmt::format("| {} | {} |\n", preset, why.empty() ? "the process ended without a word" : why);
  }
  const Json& run = report["runs"][0];
  const Json &prefill = run["phases"]["prefill"], &decode = run["phases"]["decode"];
  return fmt::format("| {} | {:.0f} | {:.1f} | {:.1f} | {:.2f} | {:.2f} | {:.1f} | {:.0f} |\n", preset,
                     run["n_parameters"].get<double>() / 1e6, ms(run["time_to_first_token_ns"]["median"]),
                     prefill["tokens_per_second"].get<double>(), ms(decode["token_ns"]["p50"]), ms(decode["token_ns"]["p90"]),
                     decode["tokens_per_second"].get<double>(), run["memory"]["process_peak"].get<double>() / 1e6);
}

std::string head_of(const Options& o) {
  const Machine machine = this_machine();
  return fmt::format(
      "{} models, {}, prompt {}, {} tokens generated, {} threads of {} on {}; medians of {}, each model in a process of "
      "its own.\n\n"
      "| model | parameters [M] | time to first token [ms] | prefill [tokens/s] | per token, median [ms] | 90% [ms] | "
      "decode [tokens/s] | peak memory [MB] |\n"
      "|---|---|---|---|---|---|---|---|\n",
      o.sources.size(), mote::mix_name(o.types[0]), o.prompts[0], o.generates[0], o.threads[0], machine.n_processors, machine.cpu,
      o.repeat);
}

} // namespace

Status run_study(const Options& options, Progress& progress, Output& output) {
  if (Status s = output.write(head_of(options)); !s) return s;
  for (std::size_t i = 0; i < options.sources.size(); ++i) {
    const std::string& preset = options.sources[i].name;
    progress.show(fmt::format("{} of {}: {}", i + 1, options.sources.size(), preset));
    const auto finished = run_self(arguments_of(options, preset));
    if (!finished) return finished.error();
    progress.clear();
    if (Status s = output.write(row_of(preset, *finished)); !s) return s;
  }
  return output.finish();
}

} // namespace bench

#include "bench/runs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

extern char** environ;

namespace bench {
namespace {

using mote::Error;
using mote::ErrorCode;
using mote::Result;
using Json = nlohmann::json;

Error system_error(const std::string& what) { return {ErrorCode::io, fmt::format("{}: {}", what, std::strerror(errno))}; }

std::string read_all(int fd) {
  std::string text;
  char buffer[1 << 14];
  for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR);)
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

/// Runs this program with other arguments; returns what it wrote to standard error.
Result<std::string> run_self(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("pipe");
  std::vector<char*> argv{const_cast<char*>("bench_breakdown")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
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
  std::string words = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return words;
}

std::vector<std::string> arguments_of(const Options& o, const Wish& wish) {
  std::vector<std::string> words = wish.model;
  const auto add = [&](const char* name, std::string value) { words.insert(words.end(), {name, std::move(value)}); };
  add("--type", std::string(mote::mix_name(wish.type)));
  add("--prompt", fmt::format("{}", fmt::join(wish.prompts, ",")));
  add("--generate", std::to_string(wish.generate));
  if (wish.context != 0) add("--context", std::to_string(wish.context));
  add("--threads", std::to_string(o.threads[0]));
  add("--isa", std::string(mote::isa_name(o.isas[0])));
  add("--repeat", std::to_string(wish.repeat));
  add("--seed", std::to_string(wish.seed));
  return words;
}

/// The arguments as the name of a file.
std::string file_name(const std::vector<std::string>& arguments) {
  std::string name;
  for (const std::string& argument : arguments) {
    const bool option = argument.starts_with("--");
    if (!name.empty()) name += option ? '_' : '-';
    for (const char c : option ? argument.substr(2) : argument)
      name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '-';
  }
  return name + ".json";
}

/// None: the file is not there, or is not what a run writes.
std::vector<Json> read_runs(const std::string& path) {
  std::ifstream file(path);
  const Json report = Json::parse(file, nullptr, false);
  if (!report.is_object() || !report.contains("runs") || !report["runs"].is_array()) return {};
  return report["runs"].get<std::vector<Json>>();
}

/// A folder for a while.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code failed;
    path_ = (std::filesystem::temp_directory_path(failed) / "mote-study-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; } ///< empty: it could not be made

 private:
  std::string path_;
};

} // namespace

Result<Answer> Runs::measure(const Wish& wish) {
  progress_.show(fmt::format("{} of {}: {} {}", ++n_done_, n_wishes_, wish.model.back(), mote::mix_name(wish.type)));
  if (!options_.runs_dir.empty()) return measure_in(options_.runs_dir, wish);
  const ScratchFolder folder;
  if (folder.path().empty()) return system_error("a folder for temporary files");
  return measure_in(folder.path(), wish);
}

Result<Answer> Runs::measure_in(const std::string& folder, const Wish& wish) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return Error{ErrorCode::io, fmt::format("{}: {}", folder, failed.message())};
  std::vector<std::string> arguments = arguments_of(options_, wish);
  const std::string path = (std::filesystem::path(folder) / file_name(arguments)).string();
  Answer answer;
  answer.runs = read_runs(path);
  if (!answer.runs.empty()) return answer;
  arguments.insert(arguments.end(), {"--format", "json", "--out", path});
  const Result<std::string> words = run_self(arguments);
  if (!words) return words.error();
  answer.runs = read_runs(path);
  constexpr std::string_view kName = "bench_breakdown: "; // this program says it again
  if (answer.runs.empty()) answer.problem = words->substr(words->starts_with(kName) ? kName.size() : 0);
  answer.problem.resize(std::min(answer.problem.size(), answer.problem.find('\n')));
  if (answer.runs.empty() && answer.problem.empty()) answer.problem = "the process ended without a word";
  return answer;
}

} // namespace bench

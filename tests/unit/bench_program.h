// The benchmark programs, as a user runs them.
#pragma once
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/catch.h"
#include "tests/temp_dir.h"

struct Outcome {
  int status = -1;
  std::string out, err;
};

struct BenchProgram {
  std::string path;

  /// All programs of a build lie in one folder.
  explicit BenchProgram(const std::string& name)
      : path((std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string()) {}

  bool exists() const {
    if (std::filesystem::exists(path)) return true;
    std::printf("SKIPPED: %s is not built\n", path.c_str());
    return false;
  }

  /// Through the shell, with these arguments.
  Outcome run(const std::string& arguments) const {
    const mote::test::TempDir folder;
    const std::string command =
        "'" + path + "' " + arguments + " > '" + folder.file("out") + "' 2> '" + folder.file("err") + "' < /dev/null";
    const int status = std::system(command.c_str());
    REQUIRE(WIFEXITED(status)); // it never crashes
    return {WEXITSTATUS(status), folder.read("out"), folder.read("err")};
  }
};

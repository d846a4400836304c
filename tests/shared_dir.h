/// Data that lies beside the repository, where a developer has it: models, vocabularies, block goldens.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

/// $MOTE_SHARED_DIR, else the folder "shared" beside the repository; it may be absent.
inline std::filesystem::path shared_dir() {
  if (const char* given = std::getenv("MOTE_SHARED_DIR")) return given;
#ifdef MOTE_SHARED_DIR
  return MOTE_SHARED_DIR;
#else
  return "../shared";
#endif
}

/// The path of a file or folder of the shared data. When it is absent, prints the word by which ctest reports the test as
/// skipped; the test then does nothing but return:
///
///     const auto path = shared_file("models/stories260K.gguf");
///     if (!path) return;
inline std::optional<std::string> shared_file(const char* relative) {
  const std::filesystem::path path = shared_dir() / relative;
  std::error_code error;
  if (std::filesystem::exists(path, error)) return path.string();
  std::printf("SKIPPED: %s is absent\n", path.string().c_str());
  std::fflush(stdout);
  return std::nullopt;
}

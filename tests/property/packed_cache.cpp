// The packed cache never changes a result, whatever has happened to it.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "mote/quantize.h"
#include "tests/property/models.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;

namespace {

/// More than one chunk of panels, a matrix whose last panel is not full, floats beside the panels.
const std::string kShape = "family=gpt2,layers=2,d_model=288,d_ff=1152,heads=4,vocab=4001,ctx=64";

void save(const std::string& path, std::uint64_t seed = 1, const std::string& shape = kShape) {
  const auto spec = spec_from_shape(shape);
  REQUIRE(spec);
  QuantizeOptions options;
  options.mix = Mix::Q8_0;
  const Status saved = save_random_model(*spec, seed, path, options);
  if (!saved) FAIL(saved.error().message);
}

struct Opened {
  CacheReport cache;
  std::vector<float> logits;
};

Opened open(const std::string& path, const std::string& cache_dir, int n_threads = 2) {
  ModelOptions options;
  options.n_threads = n_threads;
  options.cache_dir = cache_dir;
  const auto model = Model::open(path, options);
  if (!model) FAIL(model.error().message);
  return {model->cache(), logits_of(*model, make_prompt(*model, 6), {}, {5, 1})};
}

/// A model file and a folder with its cache.
struct Cached {
  Cached() {
    save(model);
    const Opened first = open(model, cache_dir);
    CHECK(first.cache.use == CacheUse::written);
    CHECK(first.cache.problem == "");
    path = first.cache.path;
    logits = first.logits;
  }
  /// What open() gives now, which must be the right logits in any case.
  CacheReport reopen() const {
    const Opened again = open(model, cache_dir);
    CHECK(again.logits == logits);
    return again.cache;
  }
  std::string bytes() const { return folder.read("cache/" + std::filesystem::path(path).filename().string()); }
  void overwrite(std::string_view content) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc).write(content.data(), static_cast<std::streamsize>(content.size()));
  }

  TempDir folder;
  std::string model = folder.file("model.gguf"), cache_dir = folder.file("cache"), path;
  std::vector<float> logits;
};

std::size_t n_files(const std::string& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

} // namespace

TEST_CASE("weights from the cache give the logits of weights that were packed") {
  const Cached c;
  CHECK(open(c.model, "").logits == c.logits);
  CHECK(open(c.model, "").cache.use == CacheUse::none);
  for (const int n_threads : {1, 3}) {
    const Opened again = open(c.model, c.cache_dir, n_threads);
    CHECK(again.cache.use == CacheUse::read);
    CHECK(again.cache.path == c.path);
    CHECK(again.logits == c.logits);
  }
  CHECK(n_files(c.cache_dir) == 1);
  CHECK(std::filesystem::path(c.path).filename().string().starts_with("model.gguf."));
}

TEST_CASE("a damaged cache is written anew") {
  const Cached c;
  const std::string sound = c.bytes();
  REQUIRE(sound.size() > (std::size_t{4} << 20)); // two chunks of panels behind the header
  std::vector<std::string> damaged{
      "", "x", sound.substr(0, 64), sound.substr(0, sound.size() - 1), sound + '\0', std::string(sound.size(), '\0')};
  // each word of the header, the first and last byte of each chunk, the middle
  const std::size_t header = std::size_t{2} << 20;
  for (const std::size_t at : {std::size_t{0}, std::size_t{8}, std::size_t{16}, std::size_t{24}, std::size_t{32}, std::size_t{40},
                               std::size_t{48}, header, 2 * header - 1, 2 * header, sound.size() - 1, sound.size() / 2}) {
    damaged.push_back(sound);
    damaged.back()[at] = static_cast<char>(damaged.back()[at] ^ 0x80);
  }
  std::string half = sound;
  std::fill(half.begin() + static_cast<std::ptrdiff_t>(2 * header), half.end(), '\0'); // as a crash leaves it
  damaged.push_back(half);
  for (const std::string& content : damaged) {
    CAPTURE(&content - damaged.data());
    c.overwrite(content);
    CHECK(c.reopen().use == CacheUse::written);
    CHECK(c.bytes() == sound);
  }
  CHECK(c.reopen().use == CacheUse::read);
  CHECK(n_files(c.cache_dir) == 1);
}

TEST_CASE("the cache of a model that has changed is written anew") {
  const Cached c;
  const auto time = std::filesystem::last_write_time(c.model);
  std::filesystem::last_write_time(c.model, time + std::chrono::seconds(1));
  CHECK(c.reopen().use == CacheUse::written);
  CHECK(c.reopen().use == CacheUse::read);

  // Other weights, the same size: seen by the time, and by a look at the weights when even that is the same.
  for (const int seconds : {5, 0}) {
    const auto before = std::filesystem::last_write_time(c.model);
    save(c.model, 2 + static_cast<std::uint64_t>(seconds));
    std::filesystem::last_write_time(c.model, before + std::chrono::seconds(seconds));
    const Opened changed = open(c.model, c.cache_dir);
    CHECK(changed.cache.use == CacheUse::written);
    CHECK(changed.logits == open(c.model, "").logits);
    CHECK(changed.logits != c.logits);
  }
  save(c.model, 1, "layers=2,d_model=256,d_ff=512,heads=4,vocab=300,ctx=64");
  CHECK(open(c.model, c.cache_dir).cache.use == CacheUse::written);
  CHECK(open(c.model, c.cache_dir).cache.use == CacheUse::read);
  CHECK(n_files(c.cache_dir) == 1);
}

TEST_CASE("models of the same name in different folders have their own caches") {
  const Cached c;
  std::filesystem::create_directory(c.folder.file("other"));
  save(c.folder.file("other/model.gguf"), 5);
  const Opened other = open(c.folder.file("other/model.gguf"), c.cache_dir);
  CHECK(other.cache.use == CacheUse::written);
  CHECK(other.cache.path != c.path);
  CHECK(c.reopen().use == CacheUse::read);
  CHECK(c.reopen().path == open(c.folder.file("other/../model.gguf"), c.cache_dir).cache.path);
}

TEST_CASE("a cache that cannot be written is no error") {
  const TempDir folder;
  const std::string model = folder.file("model.gguf"), file = folder.write("file", "no folder");
  save(model);
  const auto expected = open(model, "").logits;
  const auto check_failed = [&](const std::string& cache_dir, const std::string& word) {
    CAPTURE(cache_dir);
    const Opened opened = open(model, cache_dir);
    CHECK(opened.logits == expected);
    CHECK(opened.cache.use == CacheUse::failed);
    CAPTURE(opened.cache.problem);
    CHECK(opened.cache.problem.find(word) != std::string::npos);
    CHECK(opened.cache.problem.find('\n') == std::string::npos);
  };
  check_failed(file, file);
  check_failed(file + "/below", file);
  check_failed("/proc/self", "/proc/self");
  // in the way: of the unfinished file, of the finished one
  const std::string cache_dir = folder.file("cache"), path = open(model, cache_dir).cache.path;
  std::filesystem::remove(path);
  std::filesystem::create_directory(path + ".unfinished");
  check_failed(cache_dir, path);
  std::filesystem::remove(path + ".unfinished");
  std::filesystem::create_directory(path);
  check_failed(cache_dir, path);
  CHECK(n_files(cache_dir) == 1);
  std::filesystem::remove(path);
  CHECK(mkfifo(path.c_str(), 0600) == 0);
  CHECK(open(model, cache_dir).cache.use == CacheUse::written);
}

TEST_CASE("a cache on a full disk is no error and leaves nothing behind") {
  const TempDir folder;
  const std::string model = folder.file("model.gguf"), cache_dir = folder.file("cache");
  save(model);
  // A limit on the size of files stands for the end of the disk.
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit limit{rlim_t{3} << 20, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const Opened opened = open(model, cache_dir);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(opened.cache.use == CacheUse::failed);
  CHECK(opened.cache.problem.find(opened.cache.path) != std::string::npos);
  CHECK(opened.logits == open(model, "").logits);
  CHECK(n_files(cache_dir) == 0);
}

TEST_CASE("a cache has one writer at a time, and a killed one leaves nothing that is in the way") {
  const Cached c;
  const std::string sound = c.bytes(), unfinished = c.path + ".unfinished";
  c.overwrite("");
  c.folder.write("cache/" + std::filesystem::path(unfinished).filename().string(), std::string(sound.size() + 99, 'x'));
  const int fd = ::open(unfinished.c_str(), O_RDWR);
  REQUIRE(fd >= 0);
  REQUIRE(flock(fd, LOCK_EX) == 0);
  const CacheReport refused = c.reopen();
  CHECK(refused.use == CacheUse::failed);
  CHECK(refused.problem.find("another process") != std::string::npos);
  close(fd);
  CHECK(c.reopen().use == CacheUse::written);
  CHECK(c.bytes() == sound);
  CHECK(n_files(c.cache_dir) == 1);
}

TEST_CASE("many openings at once share a cache") {
  const Cached c;
  std::filesystem::remove(c.path);
  std::vector<Opened> opened(6);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < opened.size(); ++i)
    threads.emplace_back([&, i] {
      ModelOptions options;
      options.n_threads = 1 + static_cast<int>(i % 2);
      options.cache_dir = c.cache_dir;
      const auto model = Model::open(c.model, options);
      if (!model) return;
      auto session = Session::create(*model, {});
      if (!session || !session->decode(make_prompt(*model, 6))) return;
      opened[i] = {model->cache(), {session->logits().begin(), session->logits().end()}};
    });
  for (std::thread& thread : threads) thread.join();
  const auto n_vocab = static_cast<std::ptrdiff_t>(opened[0].logits.size());
  const std::vector<float> last(c.logits.end() - n_vocab, c.logits.end());
  int n_written = 0;
  for (const Opened& o : opened) {
    CHECK(o.logits == last);
    CHECK(o.cache.use != CacheUse::none);
    n_written += o.cache.use == CacheUse::written;
  }
  CHECK(n_written >= 1);
  CHECK(c.reopen().use == CacheUse::read);
  CHECK(n_files(c.cache_dir) == 1);
}

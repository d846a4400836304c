#include "lib/weights/packed_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "lib/gguf/mapping.h"

namespace mote::weights {

namespace {

/// Of the layout of this file. That of the panels needs none: load_weights packs samples and compares.
constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kMagic = 0x006b636170746f6d; // "motpack", little-endian

/// Eight multiplications at a time: as fast as memory. Finds damage, not malice: whoever can write the cache can write the model.
std::uint64_t hash_bytes(std::span<const std::byte> bytes) {
  constexpr std::size_t kLanes = 8, kBlock = kLanes * sizeof(std::uint64_t);
  constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15u;
  std::array<std::uint64_t, kLanes> lanes{};
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = (bytes.size() + i) * kFactor;
  const auto mix = [&](const std::byte* block) {
    std::array<std::uint64_t, kLanes> words;
    std::memcpy(words.data(), block, kBlock);
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = std::rotl((lanes[i] ^ words[i]) * kFactor, 29);
  };
  const std::size_t n_whole = bytes.size() / kBlock * kBlock;
  for (std::size_t at = 0; at < n_whole; at += kBlock) mix(bytes.data() + at);
  std::array<std::byte, kBlock> rest{};
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(n_whole), bytes.end(), rest.begin());
  mix(rest.data());
  std::uint64_t hash = 0;
  for (const std::uint64_t lane : lanes) hash = std::rotl((hash ^ lane) * kFactor, 31);
  return (hash ^ hash >> 32) * kFactor;
}

std::uint64_t hash_words(std::span<const std::uint64_t> words) { return hash_bytes(std::as_bytes(words)); }

std::string hex(std::uint64_t value) {
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[value >> shift & 15];
  return digits;
}

/// What the file is keyed by: sizes, times and headers of the model's parts.
std::uint64_t identity_of(const gguf::File& model) {
  std::vector<std::uint64_t> words;
  for (const auto& part : model.identity())
    words.insert(words.end(), {part.n_bytes, static_cast<std::uint64_t>(part.modified_ns), hash_bytes(part.header)});
  return hash_words(words);
}

/// One for each model file, so that the panels of a changed model replace the old ones.
std::string path_in(const std::string& folder, const std::string& model_path) {
  std::error_code ignored;
  auto absolute = std::filesystem::canonical(model_path, ignored);
  const std::string text = absolute.string();
  return (std::filesystem::path(folder) / absolute.filename()).string() + "." + hex(hash_bytes(std::as_bytes(std::span(text)))) +
         ".packed";
}

struct Descriptor {
  explicit Descriptor(int file) noexcept : fd(file) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  const int fd;
};

/// Panels in chunks that threads hash, and write when there is a file to write to.
struct Chunks {
  std::span<const std::byte> panels;
  int fd = -1;
  std::vector<std::uint64_t> hashes;
  std::atomic<std::size_t> next{0};
  std::atomic<int> error_number{0};

  Chunks(std::span<const std::byte> p, int file) : panels(p), fd(file), hashes((p.size() + kSize - 1) / kSize) {}
  static constexpr std::size_t kSize = PackedCache::kChunk;
};

/// 0, or the errno of what failed.
int write_at(int fd, std::span<const std::byte> bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : ENOSPC;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::size_t>(n);
  }
  return 0;
}

void do_chunks(void* context, int) {
  Chunks& c = *static_cast<Chunks*>(context);
  for (std::size_t i; (i = c.next.fetch_add(1, std::memory_order_relaxed)) < c.hashes.size();) {
    const std::size_t at = i * Chunks::kSize;
    const auto chunk = c.panels.subspan(at, std::min(Chunks::kSize, c.panels.size() - at));
    c.hashes[i] = hash_bytes(chunk);
    if (c.fd < 0) continue;
    if (const int failed = write_at(c.fd, chunk, PackedCache::kDataOffset + at)) c.error_number = failed;
  }
}

/// A locked file that is not visible under the cache's name yet. One that a killed process left behind is taken over; one that
/// another process is writing is refused.
Result<int> lock_unfinished(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (fd < 0) return gguf::io_error(path, "cannot be created", errno);
  struct stat mine {
  }, named{};
  const bool locked = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  // Another process may have finished and renamed this file between our opening and our locking it.
  if (locked && ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
      mine.st_dev == named.st_dev && S_ISREG(mine.st_mode))
    return fd;
  ::close(fd);
  return Error{ErrorCode::io, path + ": another process is writing it"};
}

} // namespace

PackedCache::PackedCache(const std::string& folder, const gguf::File& model) : folder_(folder), identity_(identity_of(model)) {
  report_.path = path_in(folder, model.path());
}

std::vector<std::uint64_t> PackedCache::header(std::size_t n_bytes, std::span<const std::uint64_t> chunk_hashes) const {
  std::vector<std::uint64_t> words{kMagic, kVersion, identity_, n_bytes};
  words.insert(words.end(), chunk_hashes.begin(), chunk_hashes.end());
  return words;
}

runtime::Buffer PackedCache::read(std::size_t n_bytes, runtime::ThreadPool& pool) {
  const Descriptor file(::open(report_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.fd < 0 || ::fstat(file.fd, &status) != 0 || !S_ISREG(status.st_mode)) return {};
  if (static_cast<std::uint64_t>(status.st_size) != kDataOffset + n_bytes) return {};
  auto panels = runtime::Buffer::map_file(file.fd, kDataOffset, n_bytes);
  if (!panels) return {};
  Chunks chunks({panels->data(), n_bytes}, -1);
  std::vector<std::uint64_t> words(header(n_bytes, chunks.hashes).size() + 1);
  const auto n_header = static_cast<ssize_t>(words.size() * sizeof words[0]);
  if (::pread(file.fd, words.data(), static_cast<std::size_t>(n_header), 0) != n_header) return {};
  const std::vector<std::uint64_t> wanted = header(n_bytes, {});
  if (!std::equal(wanted.begin(), wanted.end(), words.begin())) return {};
  // All of it is looked at: a file that was written only in part, or has lost bits since, is found here.
  pool.run(do_chunks, &chunks);
  std::vector<std::uint64_t> expected = header(n_bytes, chunks.hashes);
  expected.push_back(hash_words(expected));
  if (words != expected) return {};
  report_.use = CacheUse::read;
  return *std::move(panels);
}

void PackedCache::write(std::span<const std::byte> panels, runtime::ThreadPool& pool) {
  const Status written = write_file(panels, pool);
  report_.use = written ? CacheUse::written : CacheUse::failed;
  if (!written) report_.problem = written.error().message;
}

Status PackedCache::make_folder() const {
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  if (failed) return Error{ErrorCode::io, folder_ + ": the folder cannot be made: " + failed.message()};
  return {};
}

Status PackedCache::write_file(std::span<const std::byte> panels, runtime::ThreadPool& pool) const {
  if (Status made = make_folder(); !made) return made;
  const std::string unfinished = report_.path + ".unfinished";
  auto locked = lock_unfinished(unfinished);
  if (!locked) return std::move(locked).error();
  const Descriptor file(*locked);
  Chunks chunks(panels, file.fd);
  int failed = ::ftruncate(file.fd, 0) == 0 ? 0 : errno;
  if (!failed) {
    pool.run(do_chunks, &chunks);
    failed = chunks.error_number;
  }
  if (!failed) {
    std::vector<std::uint64_t> words = header(panels.size(), chunks.hashes);
    words.push_back(hash_words(words));
    failed = words.size() * sizeof words[0] > kDataOffset ? EFBIG : write_at(file.fd, std::as_bytes(std::span(words)), 0);
  }
  // No fsync, which can take seconds: what a crash takes away is found by the hashes.
  if (!failed && ::rename(unfinished.c_str(), report_.path.c_str()) != 0) failed = errno;
  if (!failed) return {};
  ::unlink(unfinished.c_str()); // still locked: it is ours
  return gguf::io_error(report_.path, "cannot be written", failed);
}

} // namespace mote::weights

/// Packed panels on disk, so that the next start of the same model need not pack them again.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/gguf/file.h"
#include "lib/runtime/buffer.h"
#include "lib/runtime/thread_pool.h"
#include "mote/model.h"

namespace mote::weights {

/// The file in a cache folder that belongs to one model file. Nothing in it is trusted: what is stale or damaged is not there.
///
/// It is mapped, not read: where the system keeps files in huge pages (Linux 6.16 with ext4, earlier with XFS), which is what
/// writing 2 MiB at multiples of 2 MiB is for, decoding reads it as fast as memory of one's own (measured: 34.8 GB/s, one
/// thread) and opening it costs the time of one look at each byte; copying it into huge pages took 3 to 10 times as long. With
/// 4 KiB pages decoding reads 26.5 GB/s.
///
///     bytes                 what
///     0                     the words of header(): what the file is, the hash of each chunk, the hash of all these words
///     kDataOffset           the panels, in chunks of kChunk bytes
class PackedCache {
 public:
  static constexpr std::size_t kChunk = runtime::kHugePage, kDataOffset = runtime::kHugePage;

  /// The model must have been opened just now. folder: made when something is written.
  PackedCache(const std::string& folder, const gguf::File& model);

  /// n_bytes of panels, mapped; empty when there are none that were packed from this very model and are whole.
  runtime::Buffer read(std::size_t n_bytes, runtime::ThreadPool& pool);
  /// Writes panels, replacing older ones at once when all is written. What fails is said in the report.
  void write(std::span<const std::byte> panels, runtime::ThreadPool& pool);

  const CacheReport& report() const noexcept { return report_; }

 private:
  /// What the file begins with if it holds these panels, without the last word, the hash of the others.
  std::vector<std::uint64_t> header(std::size_t n_bytes, std::span<const std::uint64_t> chunk_hashes) const;
  Status make_folder() const;
  Status write_file(std::span<const std::byte> panels, runtime::ThreadPool& pool) const;

  std::string folder_;
  std::uint64_t identity_ = 0; ///< of the model file: changes when it does
  CacheReport report_;
};

} // namespace mote::weights

/// Writes GGUF version 3 files, streaming: metadata and tensor list first, then the data of one tensor after the other.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/gguf/file.h"
#include "mote/result.h"

namespace mote::gguf {

/// add_* and set_* first, then begin(), then write() for each tensor in the order in which it was added, then finish().
/// The file appears under its name at finish(); an unfinished one is removed.
class Writer {
 public:
  explicit Writer(std::string path);
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();

  void set_string(std::string_view key, std::string_view value);
  void set_u32(std::string_view key, std::uint32_t value);
  void set_f32(std::string_view key, float value);
  void set_bool(std::string_view key, bool value);
  void set_strings(std::string_view key, std::span<const std::string> values);
  void set_i32s(std::string_view key, std::span<const std::int32_t> values);
  void set_f32s(std::string_view key, std::span<const float> values);
  /// Copies a key of another file byte for byte; of split files everything but the split.* keys can be copied.
  void copy(const File& from, std::string_view key);

  /// dims[0] is the length of a row.
  void add_tensor(std::string_view name, TensorType type, std::span<const std::int64_t> dims);
  Status begin();
  /// May be called several times per tensor; together they give the tensor's bytes exactly.
  Status write(std::span<const std::byte> data);
  Status finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace mote::gguf

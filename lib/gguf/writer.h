/// Writes GGUF version 3 files, streaming: metadata and tensor list first, then the data of one tensor after the other.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/gguf/file.h"
#include "lib/gguf/key_values.h"
#include "mote/result.h"

namespace mote::gguf {

/// add_* and set_* first, then begin(), then write() for each tensor in the order in which it was added, then finish().
/// The file appears under its name at finish(), replacing an older one at once; until then it has a name of its own in the same
/// folder, and it is removed if it is not finished. Nothing is forced to the disk (no fsync). Belongs to one thread at a time.
/// What add_* and set_* are given is checked by begin(). After the first error every call returns it.
class Writer {
 public:
  explicit Writer(std::string path);
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();

  /// A key that is set again keeps its place and takes the new value. "general.alignment" (u32) takes effect; default 32.
  void set_string(std::string_view key, std::string_view value);
  void set_u32(std::string_view key, std::uint32_t value);
  void set_f32(std::string_view key, float value);
  void set_bool(std::string_view key, bool value);
  void set_strings(std::string_view key, std::span<const std::string> values);
  void set_i32s(std::string_view key, std::span<const std::int32_t> values);
  void set_f32s(std::string_view key, std::span<const float> values);
  void set_all(const KeyValues& keys);
  /// Copies a key of another file byte for byte: any that is among its keys().
  void copy(const File& from, std::string_view key);

  /// dims[0] is the length of a row, a multiple of the type's block_weights; up to 4 dims, none of them for a single number.
  void add_tensor(std::string_view name, TensorType type, std::span<const std::int64_t> dims);
  /// Writes everything before the data. Errors: invalid_argument (a key or tensor that the format does not allow, by name), io.
  Status begin();
  /// May be called several times per tensor; together they give the tensor's bytes exactly, and no call spans two tensors.
  /// Errors: invalid_argument (more bytes than the tensor has), io (no space left, ...).
  Status write(std::span<const std::byte> data);
  /// Errors: invalid_argument (a tensor lacks bytes), io.
  Status finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace mote::gguf

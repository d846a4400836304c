/// A GGUF file (version 2 or 3, one part or split) as validated views of its mapped bytes.
/// Format: README.md of this folder. A file is untrusted: everything is checked here, before any use.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mote/result.h"
#include "mote/types.h"

namespace mote::gguf {

/// The values are those of the format.
enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

/// Makes the rows of a tensor that lies in no file as it is. Immutable; any thread.
class RowMaker {
 public:
  virtual ~RowMaker() = default;
  /// The rows [first, last) in the tensor's type, back to back.
  virtual void make(std::int64_t first, std::int64_t last, std::byte* out) const = 0;
  /// Mapped bytes that they are made of.
  virtual std::vector<std::span<const std::byte>> sources(std::int64_t first, std::int64_t last) const = 0;
};

struct Tensor {
  std::string name;
  TensorType type = TensorType::F32;
  int n_dims = 0;
  std::array<std::int64_t, 4> dims{1, 1, 1, 1}; ///< dims[0] is contiguous: the length of a row
  std::span<const std::byte> data;              ///< dims[1]*dims[2]*dims[3] rows; in the mapping, unaligned
  std::shared_ptr<const RowMaker> maker;        ///< where there is no data; null where there is, as for all tensors of one row
  std::int64_t n_cols() const noexcept { return dims[0]; }
  std::int64_t n_rows() const noexcept { return dims[1] * dims[2] * dims[3]; }
  /// The rows [first, last), back to back: a view of data, or made in scratch, which has room for them.
  const std::byte* rows(std::int64_t first, std::int64_t last, std::byte* scratch) const;
};

struct Assembly;

/// Movable; views and strings live as long as it does. Reading is safe from any thread.
/// The file must not be shortened by others meanwhile: touching mapped bytes that are gone ends the process.
class File {
 public:
  /// path: a file, or the first part of a split one, whose other parts lie beside it. Time and memory are bounded by a small
  /// multiple of the size of the files. Errors: io (missing, unreadable, no regular file), bad_file (damaged), unsupported
  /// (version, endianness, a tensor of a type that mote does not know, a later part of a split), naming the file, the key or
  /// tensor, what was expected and what was found.
  static Result<File> open(const std::string& path);
  /// A file of keys and tensors that lie elsewhere. Error: bad_file, a tensor that is named twice.
  static Result<File> assemble(Assembly assembly);
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  ~File();

  const std::string& path() const noexcept;
  /// Whether this path leads to the file or to one of its parts.
  bool is_made_of(const std::string& path) const;
  std::span<const Tensor> tensors() const noexcept;
  /// Puts others in their place, made of them or of the same mapped bytes; names differ from each other.
  void set_tensors(std::vector<Tensor> tensors);
  /// Null if there is none.
  const Tensor* find_tensor(std::string_view name) const noexcept;
  /// Tells the system that the pages of these bytes, a part of a tensor or of a key, are not needed any more.
  void release(std::span<const std::byte> bytes) const noexcept;
  /// The same for the rows [first, last) of one of its tensors.
  void release_rows(const Tensor& tensor, std::int64_t first, std::int64_t last) const;
  /// What tells the file from another one that took its place: of each part the size, the time of its last change, and all that
  /// stands before the data.
  struct PartIdentity {
    std::uint64_t n_bytes;
    std::int64_t modified_ns; ///< since 1970
    std::span<const std::byte> header;
  };
  std::vector<PartIdentity> identity() const;

  /// Keys are those of the first part; the split.* keys that tie parts together are not among them: this is one file.
  bool has(std::string_view key) const noexcept;
  /// Keys in the order of the file.
  std::vector<std::string_view> keys() const;
  std::optional<ValueType> type_of(std::string_view key) const noexcept;
  /// bad_file when the key is missing or has another type. Any integer type that fits is taken for an integer; an integer
  /// is not taken for a float, f32 and f64 are taken for each other.
  Result<std::string_view> get_string(std::string_view key) const;
  Result<std::int64_t> get_int(std::string_view key, std::int64_t min, std::int64_t max) const;
  Result<double> get_float(std::string_view key) const;
  Result<bool> get_bool(std::string_view key) const;
  Result<std::vector<std::string_view>> get_strings(std::string_view key) const;
  Result<std::vector<std::int64_t>> get_ints(std::string_view key) const;
  Result<std::vector<float>> get_floats(std::string_view key) const;
  /// The key's value type and value as the file has them; empty when the key is missing.
  std::span<const std::byte> raw_value(std::string_view key) const noexcept;

 private:
  struct Impl;
  explicit File(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

} // namespace mote::gguf

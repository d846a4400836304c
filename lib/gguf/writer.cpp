#include "lib/gguf/writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "lib/gguf/format.h"
#include "lib/gguf/key_values.h"
#include "lib/gguf/mapping.h"
#include "lib/gguf/name_index.h"

namespace mote::gguf {

struct Writer::Impl {
  enum class State { collecting, writing, finished };
  struct PlannedTensor {
    std::string name;
    TensorType type = TensorType::F32;
    std::size_t n_dims = 0;
    std::array<std::int64_t, kMaxDims> dims{1, 1, 1, 1};
    std::uint64_t n_bytes = 0, offset = 0; // known from begin() on
  };

  explicit Impl(std::string target) : path(std::move(target)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { discard(); }

  /// Remembers the first error; the file is given up.
  Status fail(Error error);
  Status misuse(const std::string& what) { return fail({ErrorCode::invalid_argument, path + ": " + what}); }
  /// Whether a key may be set now; if not, an error.
  bool may_set(std::string_view key);
  void discard() noexcept;

  Status read_alignment();
  Status check_keys();
  Status place_tensors();
  Status open_temporary();
  Status write_bytes(const char* bytes, std::size_t n);
  Status pad();
  std::string header() const;

  std::string path, temporary;
  int fd = -1;
  State state = State::collecting;
  std::optional<Error> error;
  KeyValues values;
  std::vector<PlannedTensor> tensors;
  std::uint64_t alignment = kDefaultAlignment;
  std::uint64_t at = 0;        // bytes written
  std::size_t current = 0;     // tensor being written
  std::uint64_t n_written = 0; // of its bytes
};

Status Writer::Impl::fail(Error e) {
  if (!error) error = std::move(e);
  discard();
  return *error;
}

void Writer::Impl::discard() noexcept {
  if (fd >= 0) ::close(fd);
  fd = -1;
  if (!temporary.empty()) ::unlink(temporary.c_str());
  temporary.clear();
}

bool Writer::Impl::may_set(std::string_view key) {
  if (state == State::collecting) return true;
  (void)misuse("key " + quote(key) + " is set after begin()");
  return false;
}

Status Writer::Impl::read_alignment() {
  const std::string* bytes = values.find(kAlignmentKey);
  if (!bytes) return {};
  std::uint32_t type = 0, number = 0;
  if (bytes->size() == sizeof type + sizeof number) {
    std::memcpy(&type, bytes->data(), sizeof type);
    std::memcpy(&number, bytes->data() + sizeof type, sizeof number);
  }
  if (type != static_cast<std::uint32_t>(ValueType::u32) || !is_alignment(number)) {
    return misuse("key " + quote(kAlignmentKey) + ": expected u32, a power of two from " + std::to_string(kMinAlignment) +
                  " to " + std::to_string(kMaxAlignment));
  }
  alignment = number;
  return {};
}

Status Writer::Impl::check_keys() {
  for (const KeyValues::KeyValue& v : values.all()) {
    if (v.key.empty() || v.key.size() > kMaxKeyBytes) {
      return misuse("key " + quote(v.key) + ": a name of " + bytes_text(v.key.size()) + ", expected 1 to " +
                    std::to_string(kMaxKeyBytes));
    }
  }
  return {};
}

Status Writer::Impl::place_tensors() {
  std::vector<NameIndex::Entry> names;
  std::uint64_t offset = 0;
  for (PlannedTensor& t : tensors) {
    const std::string where = "tensor " + quote(t.name) + ": ";
    if (t.name.size() > kMaxTensorNameBytes) {
      return misuse(where + "a name of " + bytes_text(t.name.size()) + ", expected at most " +
                    std::to_string(kMaxTensorNameBytes));
    }
    if (t.n_dims > kMaxDims)
      return misuse(where + std::to_string(t.n_dims) + " dimensions, expected at most " + std::to_string(kMaxDims));
    auto n_bytes = tensor_bytes(t.type, t.dims);
    if (!n_bytes) return misuse(where + n_bytes.error().message);
    if (*n_bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - kMaxAlignment - offset) {
      return misuse(where + "with it the file would have more than 2^63 bytes");
    }
    t.n_bytes = *n_bytes;
    t.offset = offset;
    offset = align_up(offset + *n_bytes, alignment);
    names.emplace_back(t.name, names.size());
  }
  const NameIndex index(std::move(names));
  if (const auto twice = index.duplicate()) return misuse("tensor " + quote(tensors[twice->first].name) + ": added twice");
  return {};
}

std::string Writer::Impl::header() const {
  std::string bytes(kMagic);
  append(bytes, kVersion);
  append(bytes, static_cast<std::uint64_t>(tensors.size()));
  append(bytes, static_cast<std::uint64_t>(values.all().size()));
  values.append_to(bytes);
  for (const PlannedTensor& t : tensors) {
    append_string(bytes, t.name);
    append(bytes, static_cast<std::uint32_t>(t.n_dims));
    for (std::size_t d = 0; d < t.n_dims; ++d) append(bytes, t.dims[d]);
    append(bytes, static_cast<std::uint32_t>(t.type));
    append(bytes, t.offset);
  }
  return bytes;
}

Status Writer::Impl::open_temporary() {
  // The finished file is moved to its name, which would replace a device or a pipe of that name by a file.
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return fail({ErrorCode::io, path + ": is no regular file, cannot be replaced"});
  }
  // A name that nobody has: another writer of the same path, or what a killed one left, is not touched.
  constexpr int kMaxTries = 1000;
  for (int i = 0; i < kMaxTries; ++i) {
    std::string name = path + ".unfinished" + std::to_string(i);
    fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
      temporary = std::move(name);
      return {};
    }
    if (errno != EEXIST) return fail(io_error(path, "cannot be created as " + name, errno));
  }
  return fail(
      {ErrorCode::io, path + ": cannot be created: " + std::to_string(kMaxTries) + " unfinished files of this name are there"});
}

Status Writer::Impl::write_bytes(const char* bytes, std::size_t n) {
  while (n > 0) {
    const ssize_t done = ::write(fd, bytes, n);
    if (done < 0) {
      if (errno == EINTR) continue;
      return fail(io_error(path, "writing " + bytes_text(n) + " at byte " + std::to_string(at) + " failed", errno));
    }
    bytes += done;
    n -= static_cast<std::size_t>(done);
    at += static_cast<std::uint64_t>(done);
  }
  return {};
}

Status Writer::Impl::pad() {
  const std::string zeros(static_cast<std::size_t>(align_up(at, alignment) - at), '\0');
  return write_bytes(zeros.data(), zeros.size());
}

Writer::Writer(std::string path) : impl_(std::make_unique<Impl>(std::move(path))) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

void Writer::set_string(std::string_view key, std::string_view value) {
  if (impl_->may_set(key)) impl_->values.set_string(key, value);
}
void Writer::set_u32(std::string_view key, std::uint32_t value) {
  if (impl_->may_set(key)) impl_->values.set_u32(key, value);
}
void Writer::set_f32(std::string_view key, float value) {
  if (impl_->may_set(key)) impl_->values.set_f32(key, value);
}
void Writer::set_bool(std::string_view key, bool value) {
  if (impl_->may_set(key)) impl_->values.set_bool(key, value);
}
void Writer::set_strings(std::string_view key, std::span<const std::string> values) {
  if (impl_->may_set(key)) impl_->values.set_strings(key, values);
}
void Writer::set_i32s(std::string_view key, std::span<const std::int32_t> values) {
  if (impl_->may_set(key)) impl_->values.set_i32s(key, values);
}
void Writer::set_f32s(std::string_view key, std::span<const float> values) {
  if (impl_->may_set(key)) impl_->values.set_f32s(key, values);
}

void Writer::set_all(const KeyValues& keys) {
  for (const KeyValues::KeyValue& key : keys.all())
    if (impl_->may_set(key.key)) impl_->values.set_raw(key.key, std::as_bytes(std::span(key.bytes)));
}

void Writer::copy(const File& from, std::string_view key) {
  const auto raw = from.raw_value(key);
  if (raw.empty()) {
    (void)impl_->misuse("key " + quote(key) + " cannot be copied: " + from.path() + " has none");
    return;
  }
  if (impl_->may_set(key)) impl_->values.set_raw(key, raw);
}

void Writer::add_tensor(std::string_view name, TensorType type, std::span<const std::int64_t> dims) {
  if (impl_->state != Impl::State::collecting) {
    (void)impl_->misuse("tensor " + quote(name) + " is added after begin()");
    return;
  }
  Impl::PlannedTensor tensor;
  tensor.name = name;
  tensor.type = type;
  tensor.n_dims = dims.size();
  for (std::size_t d = 0; d < std::min(dims.size(), kMaxDims); ++d) tensor.dims[d] = dims[d];
  impl_->tensors.push_back(std::move(tensor));
}

Status Writer::begin() {
  Impl& w = *impl_;
  if (w.error) return *w.error;
  if (w.state != Impl::State::collecting) return w.misuse("begin() is called twice");
  if (Status s = w.read_alignment(); !s) return s;
  if (Status s = w.check_keys(); !s) return s;
  if (Status s = w.place_tensors(); !s) return s;
  if (Status s = w.open_temporary(); !s) return s;
  w.state = Impl::State::writing;
  const std::string header = w.header();
  if (Status s = w.write_bytes(header.data(), header.size()); !s) return s;
  return w.tensors.empty() ? Status() : w.pad();
}

Status Writer::write(std::span<const std::byte> data) {
  Impl& w = *impl_;
  if (w.error) return *w.error;
  if (w.state != Impl::State::writing) return w.misuse("write() is called before begin() or after finish()");
  if (data.empty()) return {};
  while (w.current < w.tensors.size() && w.tensors[w.current].n_bytes == 0) ++w.current;
  if (w.current == w.tensors.size()) return w.misuse(bytes_text(data.size()) + " written behind the last tensor");
  const Impl::PlannedTensor& tensor = w.tensors[w.current];
  if (data.size() > tensor.n_bytes - w.n_written) {
    return w.misuse("tensor " + quote(tensor.name) + ": " + bytes_text(data.size()) + " written behind the first " +
                    std::to_string(w.n_written) + ", expected " + std::to_string(tensor.n_bytes) + " in total");
  }
  if (Status s = w.write_bytes(reinterpret_cast<const char*>(data.data()), data.size()); !s) return s;
  w.n_written += data.size();
  if (w.n_written < tensor.n_bytes) return {};
  ++w.current;
  w.n_written = 0;
  return w.pad();
}

Status Writer::finish() {
  Impl& w = *impl_;
  if (w.error) return *w.error;
  if (w.state != Impl::State::writing) return w.misuse("finish() is called before begin() or twice");
  while (w.current < w.tensors.size() && w.tensors[w.current].n_bytes == 0) ++w.current;
  if (w.current < w.tensors.size()) {
    const Impl::PlannedTensor& tensor = w.tensors[w.current];
    return w.misuse("tensor " + quote(tensor.name) + ": " + std::to_string(w.n_written) + " of its " +
                    bytes_text(tensor.n_bytes) + " are written");
  }
  // Some file systems report only here that the space did not suffice.
  if (::close(std::exchange(w.fd, -1)) != 0) return w.fail(io_error(w.path, "writing failed", errno));
  if (::rename(w.temporary.c_str(), w.path.c_str()) != 0)
    return w.fail(io_error(w.path, "cannot be renamed from " + w.temporary, errno));
  w.temporary.clear();
  w.state = Impl::State::finished;
  return {};
}

} // namespace mote::gguf

#include "lib/gguf/part.h"

#include <algorithm>
#include <utility>

namespace mote::gguf {
namespace {

/// A tensor info as the file has it.
struct TensorInfo {
  std::string_view name;
  int n_dims = 0;
  std::array<std::int64_t, kMaxDims> dims{1, 1, 1, 1};
  TensorType type = TensorType::F32;
  std::uint64_t offset = 0; ///< of the data section
  std::uint64_t n_bytes = 0;
};

class PartReader {
 public:
  PartReader(const std::string& path, Part& part) : path_(path), part_(part), cursor_(part.mapping.bytes()) {}

  Status read() {
    if (Status s = read_header(); !s) return s;
    if (Status s = read_values(); !s) return s;
    if (Status s = read_alignment(); !s) return s;
    if (Status s = read_tensor_infos(); !s) return s;
    if (Status s = place_tensors(); !s) return s;
    return check_overlaps();
  }

 private:
  Error fail(const std::string& what, ErrorCode code = ErrorCode::bad_file) const { return Error{code, path_ + ": " + what}; }
  Error fail(const TensorInfo& info, const std::string& what, ErrorCode code = ErrorCode::bad_file) const {
    return fail("tensor " + quote(info.name) + ": " + what, code);
  }
  std::size_t file_size() const noexcept { return part_.mapping.bytes().size(); }

  Status read_header();
  Status check_version(std::uint32_t version) const;
  Status check_count(std::uint64_t count, const char* what, std::size_t least_bytes) const;
  Status read_values();
  Status read_alignment();
  Status read_tensor_infos();
  Status read_tensor_info(std::uint64_t i);
  Status read_shape(TensorInfo& info);
  Status place_tensors();
  Status place_tensor(const TensorInfo& info, std::uint64_t data_start);
  Status check_overlaps() const;

  const std::string& path_;
  Part& part_;
  Cursor cursor_;
  std::uint64_t n_tensors_ = 0, n_values_ = 0;
  std::uint32_t alignment_ = kDefaultAlignment;
  std::vector<TensorInfo> infos_;
};

Status PartReader::read_header() {
  const auto bytes = part_.mapping.bytes();
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 8));
  if (!start.starts_with(kMagic)) return fail("is no GGUF file: does not start with GGUF, found " + quote(start));
  if (bytes.size() < kHeaderBytes)
    return fail("cut off: a header of 24 bytes expected, the file has " + std::to_string(bytes.size()));
  cursor_.take(kMagic.size());
  if (Status s = check_version(*cursor_.number<std::uint32_t>()); !s) return s;
  n_tensors_ = *cursor_.number<std::uint64_t>();
  n_values_ = *cursor_.number<std::uint64_t>();
  if (Status s = check_count(n_tensors_, "tensors", kMinTensorInfoBytes); !s) return s;
  return check_count(n_values_, "keys", kMinKeyValueBytes);
}

Status PartReader::check_version(std::uint32_t version) const {
  if (version == 2 || version == kVersion) return {};
  if (version != 0 && (version & 0xffff) == 0) {
    return fail("wrong endianness: the numbers are big-endian, expected little-endian", ErrorCode::unsupported);
  }
  return fail("GGUF version " + std::to_string(version) + " is not supported, expected 2 or 3", ErrorCode::unsupported);
}

Status PartReader::check_count(std::uint64_t count, const char* what, std::size_t least_bytes) const {
  if (count <= cursor_.remaining() / least_bytes) return {};
  return fail("header: " + std::to_string(count) + " " + what + " of at least " + std::to_string(least_bytes) +
              " bytes do not fit into the " + bytes_text(cursor_.remaining()) + " that follow");
}

Status PartReader::read_values() {
  std::vector<NameIndex::Entry> entries;
  for (std::uint64_t i = 0; i < n_values_; ++i) {
    auto value = read_value(cursor_, "key " + std::to_string(i + 1) + " of " + std::to_string(n_values_));
    if (!value) return fail(value.error().message);
    entries.emplace_back(value->key, part_.values.size());
    part_.values.push_back(*value);
  }
  part_.keys = NameIndex(std::move(entries));
  if (const auto twice = part_.keys.duplicate()) {
    return fail("key " + quote(part_.values[twice->first].key) + ": appears twice, as number " +
                std::to_string(twice->first + 1) + " and " + std::to_string(twice->second + 1) + " of " +
                std::to_string(n_values_));
  }
  return {};
}

Status PartReader::read_alignment() {
  const Value* value = part_.find(kAlignmentKey);
  if (value == nullptr) return {};
  const std::string expected =
      "expected u32, a power of two from " + std::to_string(kMinAlignment) + " to " + std::to_string(kMaxAlignment);
  if (value->type != ValueType::u32 || !is_alignment(load<std::uint32_t>(value->bytes.data()))) {
    return fail("key " + quote(kAlignmentKey) + ": " + expected + ", found " + describe(*value));
  }
  alignment_ = load<std::uint32_t>(value->bytes.data());
  return {};
}

Status PartReader::read_tensor_infos() {
  for (std::uint64_t i = 0; i < n_tensors_; ++i) {
    if (Status s = read_tensor_info(i); !s) return s;
  }
  return {};
}

Status PartReader::read_tensor_info(std::uint64_t i) {
  TensorInfo info;
  auto name = cursor_.string();
  if (!name) return fail("tensor " + std::to_string(i + 1) + " of " + std::to_string(n_tensors_) + ": " + name.error().message);
  info.name = *name;
  if (name->size() > kMaxTensorNameBytes) {
    return fail(info, "a name of " + bytes_text(name->size()) + ", expected at most " + std::to_string(kMaxTensorNameBytes));
  }
  if (Status s = read_shape(info); !s) return s;
  auto type_id = cursor_.number<std::uint32_t>();
  if (!type_id) return fail(info, type_id.error().message);
  auto offset = cursor_.number<std::uint64_t>();
  if (!offset) return fail(info, offset.error().message);
  const auto type = type_from_id(*type_id);
  if (!type) {
    return fail(info, "its type " + tensor_type_text(*type_id) + " is not supported; supported are " + supported_types_text(),
                ErrorCode::unsupported);
  }
  info.type = *type;
  info.offset = *offset;
  auto n_bytes = tensor_bytes(info.type, info.dims);
  if (!n_bytes) return fail(info, n_bytes.error().message);
  info.n_bytes = *n_bytes;
  infos_.push_back(info);
  return {};
}

Status PartReader::read_shape(TensorInfo& info) {
  auto n_dims = cursor_.number<std::uint32_t>();
  if (!n_dims) return fail(info, n_dims.error().message);
  if (*n_dims > kMaxDims)
    return fail(info, std::to_string(*n_dims) + " dimensions, expected at most " + std::to_string(kMaxDims));
  info.n_dims = static_cast<int>(*n_dims);
  for (std::size_t d = 0; d < *n_dims; ++d) {
    auto dim = cursor_.number<std::uint64_t>();
    if (!dim) return fail(info, dim.error().message);
    if (!std::in_range<std::int64_t>(*dim)) {
      return fail(info, "dimension " + std::to_string(d) + " is " + std::to_string(*dim) + ", expected less than 2^63");
    }
    info.dims[d] = static_cast<std::int64_t>(*dim);
  }
  return {};
}

Status PartReader::place_tensors() {
  const std::uint64_t data_start = align_up(cursor_.at(), alignment_);
  for (const TensorInfo& info : infos_) {
    if (Status s = place_tensor(info, data_start); !s) return s;
  }
  infos_ = {};
  part_.data_start = static_cast<std::size_t>(std::min<std::uint64_t>(data_start, file_size()));
  return {};
}

Status PartReader::place_tensor(const TensorInfo& info, std::uint64_t data_start) {
  if (info.offset % alignment_ != 0) {
    return fail(info,
                "offset " + std::to_string(info.offset) + ", expected a multiple of the alignment " + std::to_string(alignment_));
  }
  // The padding behind the last tensor may be missing, so an empty tensor there may start beyond the end.
  const std::uint64_t size = file_size(), limit = info.n_bytes == 0 ? align_up(size, alignment_) : size;
  const bool fits = data_start <= limit && info.offset <= limit - data_start && info.n_bytes <= limit - data_start - info.offset;
  if (!fits) {
    return fail(info, bytes_text(info.n_bytes) + " at offset " + std::to_string(info.offset) +
                          " of the data section, which starts at byte " + std::to_string(data_start) +
                          ", reach beyond the end of the file (" + bytes_text(size) + ")");
  }
  const std::uint64_t start = std::min(data_start + info.offset, size);
  part_.tensors.push_back(
      Tensor{std::string(info.name), info.type, info.n_dims, info.dims,
             part_.mapping.bytes().subspan(static_cast<std::size_t>(start), static_cast<std::size_t>(info.n_bytes)), nullptr});
  return {};
}

Status PartReader::check_overlaps() const {
  std::vector<const Tensor*> by_place;
  for (const Tensor& t : part_.tensors) {
    if (!t.data.empty()) by_place.push_back(&t);
  }
  std::sort(by_place.begin(), by_place.end(), [](const Tensor* a, const Tensor* b) { return a->data.data() < b->data.data(); });
  for (std::size_t i = 1; i < by_place.size(); ++i) {
    const Tensor &before = *by_place[i - 1], &after = *by_place[i];
    const auto range = [&](const Tensor& t) {
      const auto start = static_cast<std::size_t>(t.data.data() - part_.mapping.bytes().data());
      return "bytes " + std::to_string(start) + " to " + std::to_string(start + t.data.size());
    };
    if (before.data.data() + before.data.size() > after.data.data()) {
      return fail("tensor " + quote(after.name) + ": " + range(after) + " overlap tensor " + quote(before.name) + ", " +
                  range(before));
    }
  }
  return {};
}

} // namespace

const Value* Part::find(std::string_view key) const noexcept {
  const auto place = keys.find(key);
  return place ? &values[*place] : nullptr;
}

Result<Part> read_part(const std::string& path) {
  auto mapping = Mapping::open(path, "a GGUF file");
  if (!mapping) return std::move(mapping).error();
  Part part;
  part.path = path;
  part.mapping = std::move(*mapping);
  if (Status s = PartReader(path, part).read(); !s) return std::move(s).error();
  return part;
}

} // namespace mote::gguf

#include "lib/gguf/file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <utility>

#include "lib/gguf/assembly.h"
#include "lib/gguf/split.h"

namespace mote::gguf {

struct File::Impl {
  std::string path;
  std::vector<Part> parts;              // at least one
  std::string encoded_keys;             // of an assembly: what the first part's values are views of
  std::vector<std::vector<float>> made; // of an assembly
  std::vector<Tensor> tensors;
  NameIndex tensor_names;

  const Value* find(std::string_view key) const noexcept;
  Error bad(std::string_view key, const std::string& what) const {
    return Error{ErrorCode::bad_file, path + ": key " + quote(key) + ": " + what};
  }
  Error missing(std::string_view key, std::string_view expected) const {
    return bad(key, "missing, expected " + std::string(expected));
  }
  Error wrong(const Value& value, std::string_view expected) const {
    return bad(value.key, "expected " + std::string(expected) + ", found " + describe(value));
  }
  /// The key's value if it is an array whose elements are accepted.
  Result<const Value*> find_array(std::string_view key, bool (*accepts)(ValueType), std::string_view expected) const;
};

namespace {

bool is_split_key(std::string_view key) noexcept {
  return key == kSplitNoKey || key == kSplitCountKey || key == kSplitTensorsKey;
}

bool is_integer(ValueType type) noexcept {
  return value_size(type) != 0 && type != ValueType::f32 && type != ValueType::f64 && type != ValueType::boolean;
}
bool is_float(ValueType type) noexcept { return type == ValueType::f32 || type == ValueType::f64; }
bool is_string(ValueType type) noexcept { return type == ValueType::string; }

/// Moves the tensors of all parts, in order, into one list with an index of their names. Error: bad_file, a name that appears
/// twice.
Result<NameIndex> merge_tensors(const std::string& path, std::vector<Part>& parts, std::vector<Tensor>& tensors) {
  std::vector<std::size_t> part_of;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    for (Tensor& t : parts[p].tensors) {
      tensors.push_back(std::move(t));
      part_of.push_back(p);
    }
    parts[p].tensors = {};
  }
  std::vector<NameIndex::Entry> entries;
  for (std::size_t i = 0; i < tensors.size(); ++i) entries.emplace_back(tensors[i].name, i);
  NameIndex index(std::move(entries));
  const auto twice = index.duplicate();
  if (!twice) return index;
  const std::size_t first = part_of[twice->first], second = part_of[twice->second];
  std::string where = "appears twice";
  if (parts.size() > 1)
    where += ", in part " + std::to_string(first + 1) + " and part " + std::to_string(second + 1) + " of " +
             std::to_string(parts.size());
  return Error{ErrorCode::bad_file, path + ": tensor " + quote(tensors[twice->first].name) + ": " + where};
}

} // namespace

const Value* File::Impl::find(std::string_view key) const noexcept {
  return is_split_key(key) ? nullptr : parts.front().find(key);
}

Result<const Value*> File::Impl::find_array(std::string_view key, bool (*accepts)(ValueType), std::string_view expected) const {
  const Value* value = find(key);
  if (value == nullptr) return missing(key, expected);
  if (value->type != ValueType::array || !accepts(value->element)) return wrong(*value, expected);
  return value;
}

const std::byte* Tensor::rows(std::int64_t first, std::int64_t last, std::byte* scratch) const {
  if (!maker) return data.data() + static_cast<std::size_t>(first) * row_bytes(type, static_cast<std::size_t>(n_cols()));
  maker->make(first, last, scratch);
  return scratch;
}

File::File(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;
File::~File() = default;

Result<File> File::open(const std::string& path) {
  auto parts = read_parts(path);
  if (!parts) return std::move(parts).error();
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->parts = std::move(*parts);
  auto names = merge_tensors(path, impl->parts, impl->tensors);
  if (!names) return std::move(names).error();
  impl->tensor_names = std::move(*names);
  return File(std::move(impl));
}

Result<File> File::assemble(Assembly assembly) {
  auto impl = std::make_unique<Impl>();
  impl->path = std::move(assembly.path);
  impl->made = std::move(assembly.values);
  for (Assembly::Source& source : assembly.sources) {
    Part part;
    part.path = std::move(source.path);
    part.mapping = std::move(source.mapping);
    part.data_start = source.data_start;
    impl->parts.push_back(std::move(part));
  }
  Part& first = impl->parts.front();
  assembly.keys.append_to(impl->encoded_keys);
  Cursor cursor(std::as_bytes(std::span(impl->encoded_keys)));
  std::vector<NameIndex::Entry> entries;
  while (cursor.remaining() != 0) {
    auto value = read_value(cursor, "key " + std::to_string(entries.size() + 1));
    if (!value) return Error{ErrorCode::bad_file, impl->path + ": " + value.error().message};
    entries.emplace_back(value->key, entries.size());
    first.values.push_back(*value);
  }
  first.keys = NameIndex(std::move(entries));
  first.tensors = std::move(assembly.tensors);
  auto names = merge_tensors(impl->path, impl->parts, impl->tensors);
  if (!names) return std::move(names).error();
  impl->tensor_names = std::move(*names);
  return File(std::move(impl));
}

const std::string& File::path() const noexcept { return impl_->path; }

bool File::is_made_of(const std::string& path) const {
  std::error_code ignored;
  for (const Part& part : impl_->parts)
    if (std::filesystem::equivalent(path, part.path, ignored)) return true;
  return false;
}

std::span<const Tensor> File::tensors() const noexcept { return impl_->tensors; }

void File::set_tensors(std::vector<Tensor> tensors) {
  impl_->tensors = std::move(tensors);
  std::vector<NameIndex::Entry> entries;
  for (std::size_t i = 0; i < impl_->tensors.size(); ++i) entries.emplace_back(impl_->tensors[i].name, i);
  impl_->tensor_names = NameIndex(std::move(entries));
}
const Tensor* File::find_tensor(std::string_view name) const noexcept {
  const auto place = impl_->tensor_names.find(name);
  return place ? &impl_->tensors[*place] : nullptr;
}

void File::release(std::span<const std::byte> bytes) const noexcept {
  // Touching a page brings those around it, too: at both ends those of neighbours, which may have been released already.
  constexpr std::size_t kAround = 64 << 10;
  for (const Part& part : impl_->parts) {
    const auto all = part.mapping.bytes();
    if (std::less<>()(bytes.data(), all.data()) || !std::less<>()(bytes.data(), all.data() + all.size())) continue;
    const auto begin = static_cast<std::size_t>(bytes.data() - all.data()), end = begin + bytes.size();
    const std::size_t from = begin - std::min(begin, kAround), to = std::min(end + kAround, all.size());
    release_pages(all.subspan(from, to - from));
  }
}

void File::release_rows(const Tensor& tensor, std::int64_t first, std::int64_t last) const {
  if (tensor.maker) {
    for (const auto bytes : tensor.maker->sources(first, last)) release(bytes);
  } else {
    const std::size_t stride = row_bytes(tensor.type, static_cast<std::size_t>(tensor.n_cols()));
    release(tensor.data.subspan(static_cast<std::size_t>(first) * stride, static_cast<std::size_t>(last - first) * stride));
  }
}

std::vector<File::PartIdentity> File::identity() const {
  std::vector<PartIdentity> parts;
  for (const Part& part : impl_->parts) {
    const auto bytes = part.mapping.bytes();
    parts.push_back({bytes.size(), part.mapping.modified_ns(), bytes.first(part.data_start)});
  }
  return parts;
}

bool File::has(std::string_view key) const noexcept { return impl_->find(key) != nullptr; }

std::vector<std::string_view> File::keys() const {
  std::vector<std::string_view> keys;
  for (const Value& value : impl_->parts.front().values) {
    if (!is_split_key(value.key)) keys.push_back(value.key);
  }
  return keys;
}

std::optional<ValueType> File::type_of(std::string_view key) const noexcept {
  const Value* value = impl_->find(key);
  return value == nullptr ? std::nullopt : std::optional(value->type);
}

Result<std::string_view> File::get_string(std::string_view key) const {
  const Value* value = impl_->find(key);
  if (value == nullptr) return impl_->missing(key, "a string");
  if (value->type != ValueType::string) return impl_->wrong(*value, "a string");
  return std::string_view(reinterpret_cast<const char*>(value->bytes.data()), value->bytes.size());
}

Result<std::int64_t> File::get_int(std::string_view key, std::int64_t min, std::int64_t max) const {
  const std::string expected = "an integer from " + std::to_string(min) + " to " + std::to_string(max);
  const Value* value = impl_->find(key);
  if (value == nullptr) return impl_->missing(key, expected);
  const auto number = load_int(value->type, value->bytes.data());
  if (!number || *number < min || *number > max) return impl_->wrong(*value, expected);
  return *number;
}

Result<double> File::get_float(std::string_view key) const {
  const Value* value = impl_->find(key);
  if (value == nullptr) return impl_->missing(key, "f32 or f64");
  const auto number = load_float(value->type, value->bytes.data());
  if (!number) return impl_->wrong(*value, "f32 or f64");
  return *number;
}

Result<bool> File::get_bool(std::string_view key) const {
  const Value* value = impl_->find(key);
  if (value == nullptr) return impl_->missing(key, "bool");
  if (value->type != ValueType::boolean) return impl_->wrong(*value, "bool");
  return load<std::uint8_t>(value->bytes.data()) != 0;
}

Result<std::vector<std::string_view>> File::get_strings(std::string_view key) const {
  auto found = impl_->find_array(key, is_string, "an array of strings");
  if (!found) return std::move(found).error();
  const Value& array = **found;
  std::vector<std::string_view> strings;
  strings.reserve(static_cast<std::size_t>(array.count)); // at least 8 bytes each have been seen in the file
  Cursor cursor(array.bytes);
  for (std::uint64_t i = 0; i < array.count; ++i) {
    auto text = cursor.string(); // fails only if somebody has rewritten the file since it was opened
    if (!text) return impl_->bad(key, "changed since the file was opened: " + text.error().message);
    strings.push_back(*text);
  }
  return strings;
}

Result<std::vector<std::int64_t>> File::get_ints(std::string_view key) const {
  auto found = impl_->find_array(key, is_integer, "an array of integers");
  if (!found) return std::move(found).error();
  const Value& array = **found;
  const std::size_t size = value_size(array.element), count = static_cast<std::size_t>(array.count);
  std::vector<std::int64_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = load_int(array.element, array.bytes.data() + i * size);
    if (!number) {
      const auto found_number = load<std::uint64_t>(array.bytes.data() + i * size);
      return impl_->bad(key, "element " + std::to_string(i) + ": expected less than 2^63, found " + std::to_string(found_number));
    }
    numbers[i] = *number;
  }
  return numbers;
}

Result<std::vector<float>> File::get_floats(std::string_view key) const {
  auto found = impl_->find_array(key, is_float, "an array of f32 or f64");
  if (!found) return std::move(found).error();
  const Value& array = **found;
  const std::size_t size = value_size(array.element), count = static_cast<std::size_t>(array.count);
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double number = load_float(array.element, array.bytes.data() + i * size).value_or(0);
    // Converting a finite number beyond the range of f32 is undefined.
    if (std::isfinite(number) && std::fabs(number) > static_cast<double>(std::numeric_limits<float>::max())) {
      return impl_->bad(key, "element " + std::to_string(i) + ": a number beyond the range of f32");
    }
    numbers[i] = static_cast<float>(number);
  }
  return numbers;
}

std::span<const std::byte> File::raw_value(std::string_view key) const noexcept {
  const Value* value = impl_->find(key);
  return value == nullptr ? std::span<const std::byte>() : raw_bytes(*value);
}

} // namespace mote::gguf

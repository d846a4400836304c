/// Builds GGUF files field by field, sound or broken: every count, length, id and offset can be made to lie.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "lib/gguf/file.h"
#include "mote/types.h"

namespace mote::test {

using gguf::ValueType;

/// Little-endian bytes of the format's pieces.
class Bytes {
 public:
  template <class T> Bytes& put(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof value);
    return *this;
  }
  Bytes& type(ValueType type) { return put(static_cast<std::uint32_t>(type)); }
  Bytes& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  /// A string of the format. length: what it claims to be, when that is not the truth.
  Bytes& string(std::string_view text, std::optional<std::uint64_t> length = {}) {
    return put(length.value_or(text.size())).raw(text);
  }
  const std::string& str() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

/// What a tensor info says. The fields that are not set are the truth.
struct TensorInfo {
  std::string name;
  std::vector<std::uint64_t> dims;
  std::uint32_t type = 0;
  std::string data; ///< its bytes in the data section
  std::optional<std::uint64_t> name_length;
  std::optional<std::uint32_t> n_dims;
  std::optional<std::uint64_t> offset; ///< of the data section
};

class GgufBuilder {
 public:
  // What the header says; free to be changed.
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::optional<std::uint64_t> n_tensors, n_values; ///< not set: the truth
  std::uint64_t alignment = 32;                     ///< of the layout; says nothing in the file
  bool pad_end = true;                              ///< whether the last tensor is padded, too

  /// A key with the bytes of its value behind the value's type.
  GgufBuilder& value(std::string_view key, std::uint32_t type, std::string_view bytes) {
    values_.push_back(Bytes().string(key).put(type).raw(bytes).str());
    return *this;
  }
  GgufBuilder& value(std::string_view key, ValueType type, std::string_view bytes) {
    return value(key, static_cast<std::uint32_t>(type), bytes);
  }
  /// Any bytes where a key and its value are due.
  GgufBuilder& raw_value(std::string_view bytes) {
    values_.emplace_back(bytes);
    return *this;
  }
  GgufBuilder& u32(std::string_view key, std::uint32_t v) { return value(key, ValueType::u32, Bytes().put(v).str()); }
  GgufBuilder& i32(std::string_view key, std::int32_t v) { return value(key, ValueType::i32, Bytes().put(v).str()); }
  GgufBuilder& u16(std::string_view key, std::uint16_t v) { return value(key, ValueType::u16, Bytes().put(v).str()); }
  GgufBuilder& u64(std::string_view key, std::uint64_t v) { return value(key, ValueType::u64, Bytes().put(v).str()); }
  GgufBuilder& f32(std::string_view key, float v) { return value(key, ValueType::f32, Bytes().put(v).str()); }
  GgufBuilder& boolean(std::string_view key, bool v) {
    return value(key, ValueType::boolean, Bytes().put(static_cast<std::uint8_t>(v)).str());
  }
  GgufBuilder& string(std::string_view key, std::string_view v) { return value(key, ValueType::string, Bytes().string(v).str()); }
  GgufBuilder& strings(std::string_view key, const std::vector<std::string>& v) {
    Bytes bytes;
    for (const std::string& s : v) bytes.string(s);
    return array(key, ValueType::string, v.size(), bytes.str());
  }
  /// An array of the elements' own type: numbers<float>("k", ValueType::f32, {1, 2}).
  template <class T> GgufBuilder& numbers(std::string_view key, ValueType element, const std::vector<T>& v) {
    Bytes bytes;
    for (const T& x : v) bytes.put(x);
    return array(key, element, v.size(), bytes.str());
  }
  /// An array of count elements, as it claims, with these bytes.
  GgufBuilder& array(std::string_view key, ValueType element, std::uint64_t count, std::string_view elements) {
    return value(key, ValueType::array, Bytes().type(element).put(count).raw(elements).str());
  }

  GgufBuilder& tensor(TensorInfo info) {
    tensors_.push_back(std::move(info));
    return *this;
  }
  /// A sound tensor whose bytes count up from seed.
  GgufBuilder& tensor(std::string_view name, TensorType type, const std::vector<std::uint64_t>& dims, unsigned seed = 0) {
    std::size_t n_bytes = row_bytes(type, dims.empty() ? 1 : static_cast<std::size_t>(dims[0]));
    for (std::size_t i = 1; i < dims.size(); ++i) n_bytes *= static_cast<std::size_t>(dims[i]);
    return tensor(
        TensorInfo{std::string(name), dims, static_cast<std::uint32_t>(type), counting_bytes(n_bytes, seed), {}, {}, {}});
  }
  static std::string counting_bytes(std::size_t n, unsigned seed) {
    std::string bytes(n, '\0');
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>(static_cast<unsigned char>(seed + 7 * i));
    return bytes;
  }

  std::string build() const {
    Bytes file;
    file.raw(magic).put(version).put(n_tensors.value_or(tensors_.size())).put(n_values.value_or(values_.size()));
    for (const std::string& v : values_) file.raw(v);
    std::string data;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      const TensorInfo& t = tensors_[i];
      file.string(t.name, t.name_length).put(t.n_dims.value_or(static_cast<std::uint32_t>(t.dims.size())));
      for (const std::uint64_t d : t.dims) file.put(d);
      file.put(t.type).put(t.offset.value_or(data.size()));
      data += t.data;
      if (pad_end || i + 1 < tensors_.size()) pad(data);
    }
    std::string all = file.str();
    if (!tensors_.empty()) pad(all);
    return all + data;
  }

 private:
  void pad(std::string& bytes) const {
    while (alignment != 0 && bytes.size() % alignment != 0) bytes += '\0';
  }

  std::vector<std::string> values_;
  std::vector<TensorInfo> tensors_;
};

} // namespace mote::test

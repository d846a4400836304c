/// Keys and their values, encoded as the format has them.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mote::gguf {

/// A key that is set again keeps its place and takes the new value.
class KeyValues {
 public:
  void set_string(std::string_view key, std::string_view value);
  void set_u32(std::string_view key, std::uint32_t value);
  void set_f32(std::string_view key, float value);
  void set_bool(std::string_view key, bool value);
  void set_strings(std::string_view key, std::span<const std::string> values);
  void set_i32s(std::string_view key, std::span<const std::int32_t> values);
  void set_f32s(std::string_view key, std::span<const float> values);
  /// raw: type and value, as File::raw_value gives them.
  void set_raw(std::string_view key, std::span<const std::byte> raw);

  struct KeyValue {
    std::string key;
    std::string bytes; ///< type and value
  };
  std::span<const KeyValue> all() const noexcept { return values_; }
  /// Null if there is no such key.
  const std::string* find(std::string_view key) const;
  /// Keys, types and values, one behind the other.
  void append_to(std::string& bytes) const;

 private:
  void put(std::string_view key, std::string bytes);

  std::vector<KeyValue> values_;
  std::map<std::string, std::size_t, std::less<>> places_; // of keys in values_
};

/// The bytes of a number, and a string with its length before it.
template <class T> void append(std::string& bytes, T value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }
inline void append_string(std::string& bytes, std::string_view text) {
  append(bytes, static_cast<std::uint64_t>(text.size()));
  bytes += text;
}

} // namespace mote::gguf

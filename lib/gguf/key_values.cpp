#include "lib/gguf/key_values.h"

#include <utility>

#include "lib/gguf/file.h"

namespace mote::gguf {
namespace {

void append_type(std::string& bytes, ValueType type) { append(bytes, static_cast<std::uint32_t>(type)); }

std::string array_start(ValueType element, std::size_t count) {
  std::string bytes;
  append_type(bytes, ValueType::array);
  append_type(bytes, element);
  append(bytes, static_cast<std::uint64_t>(count));
  return bytes;
}

template <class T> std::string numbers(ValueType element, std::span<const T> values) {
  std::string bytes = array_start(element, values.size());
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return bytes;
}

template <class T> std::string scalar(ValueType type, T value) {
  std::string bytes;
  append_type(bytes, type);
  append(bytes, value);
  return bytes;
}

} // namespace

void KeyValues::put(std::string_view key, std::string bytes) {
  const auto [place, is_new] = places_.try_emplace(std::string(key), values_.size());
  if (is_new) {
    values_.push_back({std::string(key), std::move(bytes)});
  } else {
    values_[place->second].bytes = std::move(bytes);
  }
}

void KeyValues::set_string(std::string_view key, std::string_view value) {
  std::string bytes;
  append_type(bytes, ValueType::string);
  append_string(bytes, value);
  put(key, std::move(bytes));
}

void KeyValues::set_u32(std::string_view key, std::uint32_t value) { put(key, scalar(ValueType::u32, value)); }
void KeyValues::set_f32(std::string_view key, float value) { put(key, scalar(ValueType::f32, value)); }
void KeyValues::set_bool(std::string_view key, bool value) { put(key, scalar(ValueType::boolean, std::uint8_t{value})); }

void KeyValues::set_strings(std::string_view key, std::span<const std::string> values) {
  std::string bytes = array_start(ValueType::string, values.size());
  for (const std::string& value : values) append_string(bytes, value);
  put(key, std::move(bytes));
}

void KeyValues::set_i32s(std::string_view key, std::span<const std::int32_t> values) {
  put(key, numbers(ValueType::i32, values));
}
void KeyValues::set_f32s(std::string_view key, std::span<const float> values) { put(key, numbers(ValueType::f32, values)); }

void KeyValues::set_raw(std::string_view key, std::span<const std::byte> raw) {
  put(key, std::string(reinterpret_cast<const char*>(raw.data()), raw.size()));
}

const std::string* KeyValues::find(std::string_view key) const {
  const auto place = places_.find(key);
  return place == places_.end() ? nullptr : &values_[place->second].bytes;
}

void KeyValues::append_to(std::string& bytes) const {
  for (const KeyValue& value : values_) {
    append_string(bytes, value.key);
    bytes += value.bytes;
  }
}

} // namespace mote::gguf

#include "lib/gguf/value.h"

#include <charconv>
#include <limits>
#include <utility>

namespace mote::gguf {
namespace {

Error bad(std::string message) { return Error{ErrorCode::bad_file, std::move(message)}; }

Result<ValueType> read_type(Cursor& cursor, std::string_view what) {
  auto id = cursor.number<std::uint32_t>();
  if (!id) return std::move(id).error();
  if (!is_value_type(*id)) return bad("unknown " + std::string(what) + " " + std::to_string(*id) + ", expected 0 to 12");
  return static_cast<ValueType>(*id);
}

/// Fills element, count and bytes. Every element takes bytes of the file, so the time is bounded by its size.
Status read_array(Cursor& cursor, int depth, Value& array) {
  auto element = read_type(cursor, "element type");
  if (!element) return std::move(element).error();
  auto count = cursor.number<std::uint64_t>();
  if (!count) return std::move(count).error();
  const std::size_t fixed = value_size(*element);
  // A string takes at least its length, an array its element type and count.
  const std::size_t least = fixed != 0 ? fixed : *element == ValueType::string ? 8 : 12;
  if (*count > cursor.remaining() / least) {
    return bad("an array of " + std::to_string(*count) + " " + std::string(value_type_name(*element)) + " (" + bytes_text(least) +
               (fixed != 0 ? "" : " or more") + " each) at byte " + std::to_string(cursor.at()) + " reaches beyond the end (" +
               bytes_text(cursor.remaining()) + " left)");
  }
  if (*element == ValueType::array && depth == kMaxArrayDepth) {
    return bad("arrays nested deeper than " + std::to_string(kMaxArrayDepth) + " levels");
  }
  array.element = *element;
  array.count = *count;
  if (fixed != 0) {
    array.bytes = cursor.take(static_cast<std::size_t>(*count) * fixed);
    return {};
  }
  const Cursor start = cursor;
  for (std::uint64_t i = 0; i < *count; ++i) {
    Status status;
    if (*element == ValueType::string) {
      auto text = cursor.string();
      if (!text) status = std::move(text).error();
    } else {
      Value inner;
      status = read_array(cursor, depth + 1, inner);
    }
    if (!status) return bad("element " + std::to_string(i) + " of " + std::to_string(*count) + ": " + status.error().message);
  }
  array.bytes = Cursor(start).take(cursor.at() - start.at());
  return {};
}

Status read_payload(Cursor& cursor, Value& value) {
  auto type = read_type(cursor, "value type");
  if (!type) return std::move(type).error();
  value.type = *type;
  if (*type == ValueType::array) return read_array(cursor, 1, value);
  if (*type == ValueType::string) {
    auto text = cursor.string();
    if (!text) return std::move(text).error();
    value.bytes = std::as_bytes(std::span(text->data(), text->size()));
    return {};
  }
  const std::size_t size = value_size(*type);
  if (cursor.remaining() < size) {
    return bad("cut off: a value of type " + std::string(value_type_name(*type)) + " expected at byte " +
               std::to_string(cursor.at()) + ", " + bytes_text(cursor.remaining()) + " left");
  }
  value.bytes = cursor.take(size);
  return {};
}

template <class T> std::optional<std::int64_t> widen(const std::byte* from) noexcept {
  const T value = load<T>(from);
  if (!std::in_range<std::int64_t>(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

} // namespace

Result<Value> read_value(Cursor& cursor, const std::string& ordinal) {
  auto key = cursor.string();
  if (!key) return bad(ordinal + ": " + key.error().message);
  if (key->empty()) return bad(ordinal + ": its name is empty");
  Value value;
  value.key = *key;
  const Status status = read_payload(cursor, value);
  if (!status) return bad("key " + quote(value.key) + ": " + status.error().message);
  return value;
}

std::span<const std::byte> raw_bytes(const Value& value) noexcept {
  constexpr std::size_t kTypeBytes = 4, kLengthBytes = 8;
  std::size_t before = kTypeBytes;
  if (value.type == ValueType::string) before += kLengthBytes;
  if (value.type == ValueType::array) before += kTypeBytes + kLengthBytes;
  return {value.bytes.data() - before, value.bytes.size() + before};
}

std::optional<std::int64_t> load_int(ValueType type, const std::byte* from) noexcept {
  switch (type) {
    case ValueType::u8: return widen<std::uint8_t>(from);
    case ValueType::i8: return widen<std::int8_t>(from);
    case ValueType::u16: return widen<std::uint16_t>(from);
    case ValueType::i16: return widen<std::int16_t>(from);
    case ValueType::u32: return widen<std::uint32_t>(from);
    case ValueType::i32: return widen<std::int32_t>(from);
    case ValueType::u64: return widen<std::uint64_t>(from);
    case ValueType::i64: return widen<std::int64_t>(from);
    default: return std::nullopt;
  }
}

std::optional<double> load_float(ValueType type, const std::byte* from) noexcept {
  if (type == ValueType::f32) return static_cast<double>(load<float>(from));
  if (type == ValueType::f64) return load<double>(from);
  return std::nullopt;
}

std::string describe(const Value& value) {
  const std::string type(value_type_name(value.type));
  if (value.type == ValueType::array)
    return "array of " + std::to_string(value.count) + " " + std::string(value_type_name(value.element));
  if (value.type == ValueType::string) {
    return "string " + quote(std::string_view(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()));
  }
  if (value.type == ValueType::boolean) return load<std::uint8_t>(value.bytes.data()) != 0 ? "bool true" : "bool false";
  if (const auto number = load_float(value.type, value.bytes.data())) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, *number).ptr;
    return type + " " + std::string(digits, end);
  }
  if (value.type == ValueType::u64) return type + " " + std::to_string(load<std::uint64_t>(value.bytes.data()));
  return type + " " + std::to_string(load_int(value.type, value.bytes.data()).value_or(0));
}

} // namespace mote::gguf

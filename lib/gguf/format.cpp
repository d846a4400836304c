#include "lib/gguf/format.h"

#include <limits>
#include <optional>
#include <utility>

namespace mote::gguf {
namespace {

std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (a != 0 && b > kMax / a) return std::nullopt;
  return a * b;
}

std::string dims_text(const std::array<std::int64_t, kMaxDims>& dims) {
  std::string text;
  for (const std::int64_t d : dims) text += (text.empty() ? "" : " x ") + std::to_string(d);
  return text;
}

/// Names of the ids that TensorType does not list, for messages only.
std::string_view unsupported_type_name(std::uint32_t id) noexcept {
  switch (id) {
    case 4: return "Q4_2, removed from the format";
    case 5: return "Q4_3, removed from the format";
    case 9: return "Q8_1";
    case 15: return "Q8_K";
    case 16: return "IQ2_XXS";
    case 17: return "IQ2_XS";
    case 18: return "IQ3_XXS";
    case 19: return "IQ1_S";
    case 21: return "IQ3_S";
    case 22: return "IQ2_S";
    case 24: return "I8";
    case 25: return "I16";
    case 26: return "I32";
    case 27: return "I64";
    case 28: return "F64";
    case 29: return "IQ1_M";
    case 31: return "Q4_0_4_4, removed from the format";
    case 32: return "Q4_0_4_8, removed from the format";
    case 33: return "Q4_0_8_8, removed from the format";
    case 34: return "TQ1_0";
    case 35: return "TQ2_0";
    case 36: return "IQ4_NL_4_4, removed from the format";
    case 37: return "IQ4_NL_4_8, removed from the format";
    case 38: return "IQ4_NL_8_8, removed from the format";
    case 40: return "NVFP4";
    case 41: return "Q1_0";
    case 42: return "Q2_0";
    default: return "";
  }
}

} // namespace

std::string_view value_type_name(ValueType type) noexcept {
  switch (type) {
    case ValueType::u8: return "u8";
    case ValueType::i8: return "i8";
    case ValueType::u16: return "u16";
    case ValueType::i16: return "i16";
    case ValueType::u32: return "u32";
    case ValueType::i32: return "i32";
    case ValueType::f32: return "f32";
    case ValueType::boolean: return "bool";
    case ValueType::string: return "string";
    case ValueType::array: return "array";
    case ValueType::u64: return "u64";
    case ValueType::i64: return "i64";
    case ValueType::f64: return "f64";
  }
  return "";
}

std::size_t value_size(ValueType type) noexcept {
  switch (type) {
    case ValueType::u8:
    case ValueType::i8:
    case ValueType::boolean: return 1;
    case ValueType::u16:
    case ValueType::i16: return 2;
    case ValueType::u32:
    case ValueType::i32:
    case ValueType::f32: return 4;
    case ValueType::u64:
    case ValueType::i64:
    case ValueType::f64: return 8;
    case ValueType::string:
    case ValueType::array: return 0;
  }
  return 0;
}

Result<std::uint64_t> tensor_bytes(TensorType type, const std::array<std::int64_t, kMaxDims>& dims) {
  const auto fail = [](std::string message) { return Error{ErrorCode::bad_file, std::move(message)}; };
  std::uint64_t product = 1; // with empty dimensions counted as 1, so that every partial product of an empty tensor fits, too
  bool empty = false;
  for (const std::int64_t d : dims) {
    if (d < 0) return fail("dimensions " + dims_text(dims) + ": expected no negative number");
    empty = empty || d == 0;
    const auto next = checked_mul(product, d == 0 ? 1 : static_cast<std::uint64_t>(d));
    if (!next) return fail("dimensions " + dims_text(dims) + ": expected fewer than 2^63 weights");
    product = *next;
  }
  const TypeInfo& info = type_info(type);
  const auto block_weights = static_cast<std::uint64_t>(info.block_weights);
  if (static_cast<std::uint64_t>(dims[0]) % block_weights != 0) {
    return fail("rows of " + std::to_string(dims[0]) + " weights: expected a multiple of " + std::to_string(block_weights) +
                " for type " + std::string(info.name));
  }
  if (empty) return std::uint64_t{0};
  const auto n_bytes = checked_mul(product / block_weights, static_cast<std::uint64_t>(info.block_bytes));
  if (!n_bytes || !std::in_range<std::size_t>(*n_bytes)) {
    return fail("dimensions " + dims_text(dims) + " of type " + std::string(info.name) + ": expected fewer than 2^63 bytes");
  }
  return *n_bytes;
}

std::string tensor_type_text(std::uint32_t id) {
  const auto type = type_from_id(id);
  const std::string_view name = type ? type_info(*type).name : unsupported_type_name(id);
  return name.empty() ? "id " + std::to_string(id) : std::string(name) + " (id " + std::to_string(id) + ")";
}

std::string supported_types_text() {
  std::string text;
  for (const TypeInfo& info : all_types()) text += (text.empty() ? "" : ", ") + std::string(info.name);
  return text;
}

std::string quote(std::string_view name) {
  constexpr std::size_t kMaxShown = 80;
  constexpr char kHex[] = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : name.substr(0, kMaxShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
  }
  return text + (name.size() > kMaxShown ? "...\"" : "\"");
}

std::string bytes_text(std::uint64_t n) { return std::to_string(n) + (n == 1 ? " byte" : " bytes"); }

} // namespace mote::gguf

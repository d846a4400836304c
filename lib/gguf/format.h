/// Facts of the GGUF container that reader and writer share, and the words that their messages use for them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/gguf/file.h"
#include "mote/result.h"
#include "mote/types.h"

namespace mote::gguf {

inline constexpr std::string_view kMagic = "GGUF";
inline constexpr std::uint32_t kVersion = 3;           ///< that the writer writes; 2 has the same layout
inline constexpr std::size_t kHeaderBytes = 24;        ///< magic, version, two counts
inline constexpr std::size_t kMinTensorInfoBytes = 24; ///< of the smallest possible tensor info
inline constexpr std::size_t kMinKeyValueBytes = 13;
inline constexpr std::size_t kMaxKeyBytes = 65535; ///< by the standard; held by the writer only
inline constexpr std::size_t kMaxTensorNameBytes = 63;
inline constexpr std::size_t kMaxDims = 4;
inline constexpr int kMaxArrayDepth = 4; ///< arrays of arrays; a plain array has depth 1

inline constexpr std::string_view kAlignmentKey = "general.alignment";
inline constexpr std::uint32_t kDefaultAlignment = 32, kMinAlignment = 8, kMaxAlignment = 1u << 20;

inline constexpr std::string_view kSplitNoKey = "split.no", kSplitCountKey = "split.count",
                                  kSplitTensorsKey = "split.tensors.count";

constexpr bool is_value_type(std::uint32_t id) noexcept { return id <= static_cast<std::uint32_t>(ValueType::f64); }
/// "u32", "string", ...
std::string_view value_type_name(ValueType type) noexcept;
/// Bytes of a value of this type; 0 for strings and arrays, whose values have their own lengths.
std::size_t value_size(ValueType type) noexcept;

constexpr bool is_alignment(std::uint64_t n) noexcept { return n >= kMinAlignment && n <= kMaxAlignment && (n & (n - 1)) == 0; }
/// The next multiple of alignment; n must be at most 2^63.
constexpr std::uint64_t align_up(std::uint64_t n, std::uint64_t alignment) noexcept {
  return (n + alignment - 1) / alignment * alignment;
}

/// Bytes of a tensor. Error: what is wrong with the dimensions (negative, a product or size beyond 63 bits, rows that are no
/// whole number of blocks), without saying whose they are.
Result<std::uint64_t> tensor_bytes(TensorType type, const std::array<std::int64_t, kMaxDims>& dims);
/// "IQ2_XXS (id 16)", "id 999", for any id that a file may hold, supported or not.
std::string tensor_type_text(std::uint32_t id);
/// "F32, F16, ...": the types that can be read.
std::string supported_types_text();

/// The name in quotation marks, fit for one line of a message: control characters, quotes and bytes beyond ASCII escaped, cut
/// after 80 bytes.
std::string quote(std::string_view name);
/// "1 byte", "7 bytes".
std::string bytes_text(std::uint64_t n);

} // namespace mote::gguf

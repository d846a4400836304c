/// Types of stored weights and the named mixes of them that a model file is made of.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "mote/result.h"

namespace mote {

/// How the weights of a tensor are stored. The values are those of the GGUF container.
enum class TensorType : std::uint8_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  IQ4_NL = 20,
  IQ4_XS = 23,
  BF16 = 30,
  MXFP4 = 39,
};

struct TypeInfo {
  TensorType type;
  std::string_view name;  ///< "Q4_K"
  int block_weights;      ///< weights per block: 1, 32 or 256; a row is a whole number of blocks
  int block_bytes;
};

/// All supported types. A type's place in this list is its type_index.
std::span<const TypeInfo> all_types() noexcept;
const TypeInfo& type_info(TensorType type) noexcept;
/// The type with this GGUF id, if it is supported.
std::optional<TensorType> type_from_id(std::uint32_t id) noexcept;
/// The type of this name ("Q4_K"; case is ignored).
std::optional<TensorType> type_from_name(std::string_view name) noexcept;
/// Bytes of a row of n_cols weights. n_cols must be a multiple of the type's block_weights.
std::size_t row_bytes(TensorType type, std::size_t n_cols) noexcept;

/// Named mixes: which type each tensor of a model gets, as the files of that name have it (general.file_type).
enum class Mix : std::uint8_t { F32, F16, Q8_0, Q6_K, Q5_K_M, Q4_K_M, Q4_K_S, Q3_K_M, Q4_0 };

std::span<const Mix> all_mixes() noexcept;
std::string_view mix_name(Mix mix) noexcept;
/// The mix of this name ("Q4_K_M"; case is ignored). Error: invalid_argument, listing the names.
Result<Mix> mix_from_name(std::string_view name);

} // namespace mote

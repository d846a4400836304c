// The table of formats, a row each, and what can be looked up in it.
#include <array>
#include <string>

#include "mote/types.h"
#include "quant/formats.h"
#include "quant/quant.h"

namespace mote {
namespace {

struct Format {
  TypeInfo info;
  quant::Decode* decode;
  quant::Encode* encode; // null: read only
};

using enum TensorType;
constexpr std::array<Format, quant::kNumTypes> kFormats{{
    {{F32, "F32", 1, 4}, quant::decode_f32, quant::encode_f32},
    {{F16, "F16", 1, 2}, quant::decode_f16, quant::encode_f16},
    {{Q4_0, "Q4_0", 32, 18}, quant::decode_q4_0, quant::encode_q4_0},
    {{Q4_1, "Q4_1", 32, 20}, quant::decode_q4_1, quant::encode_q4_1},
    {{Q5_0, "Q5_0", 32, 22}, quant::decode_q5_0, quant::encode_q5_0},
    {{Q5_1, "Q5_1", 32, 24}, quant::decode_q5_1, quant::encode_q5_1},
    {{Q8_0, "Q8_0", 32, 34}, quant::decode_q8_0, quant::encode_q8_0},
    {{Q2_K, "Q2_K", 256, 84}, quant::decode_q2_k, nullptr},
    {{Q3_K, "Q3_K", 256, 110}, quant::decode_q3_k, quant::encode_q3_k},
    {{Q4_K, "Q4_K", 256, 144}, quant::decode_q4_k, quant::encode_q4_k},
    {{Q5_K, "Q5_K", 256, 176}, quant::decode_q5_k, quant::encode_q5_k},
    {{Q6_K, "Q6_K", 256, 210}, quant::decode_q6_k, quant::encode_q6_k},
    {{IQ4_NL, "IQ4_NL", 32, 18}, quant::decode_iq4_nl, nullptr},
    {{IQ4_XS, "IQ4_XS", 256, 136}, quant::decode_iq4_xs, nullptr},
    {{BF16, "BF16", 1, 2}, quant::decode_bf16, quant::encode_bf16},
    {{MXFP4, "MXFP4", 32, 17}, quant::decode_mxfp4, nullptr},
}};

constexpr auto kTypes = [] {
  std::array<TypeInfo, kFormats.size()> types{};
  for (std::size_t i = 0; i < types.size(); ++i) types[i] = kFormats[i].info;
  return types;
}();

// From a GGUF id to the place in the table, -1 where there is none.
constexpr auto kIndexOfId = [] {
  std::array<std::int8_t, 40> index{};
  index.fill(-1);
  for (std::size_t i = 0; i < kTypes.size(); ++i) index[static_cast<std::size_t>(kTypes[i].type)] = static_cast<std::int8_t>(i);
  return index;
}();

struct MixName {
  Mix mix;
  std::string_view name;
};
constexpr std::array kMixNames{
    MixName{Mix::F32, "F32"},       MixName{Mix::F16, "F16"},       MixName{Mix::Q8_0, "Q8_0"},
    MixName{Mix::Q6_K, "Q6_K"},     MixName{Mix::Q5_K_M, "Q5_K_M"}, MixName{Mix::Q4_K_M, "Q4_K_M"},
    MixName{Mix::Q4_K_S, "Q4_K_S"}, MixName{Mix::Q3_K_M, "Q3_K_M"}, MixName{Mix::Q4_0, "Q4_0"},
};
constexpr auto kMixes = [] {
  std::array<Mix, kMixNames.size()> mixes{};
  for (std::size_t i = 0; i < mixes.size(); ++i) mixes[i] = kMixNames[i].mix;
  return mixes;
}();
static_assert([] { // mix_name() goes by the place
  for (std::size_t i = 0; i < kMixes.size(); ++i) {
    if (static_cast<std::size_t>(kMixes[i]) != i) return false;
  }
  return true;
}());

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (upper(a[i]) != upper(b[i])) return false;
  }
  return true;
}

const Format& format_of(TensorType type) noexcept { return kFormats[static_cast<std::size_t>(quant::type_index(type))]; }

} // namespace

std::span<const TypeInfo> all_types() noexcept { return kTypes; }

const TypeInfo& type_info(TensorType type) noexcept { return kTypes[static_cast<std::size_t>(quant::type_index(type))]; }

std::optional<TensorType> type_from_id(std::uint32_t id) noexcept {
  if (id >= kIndexOfId.size() || kIndexOfId[id] < 0) return std::nullopt;
  return static_cast<TensorType>(id);
}

std::optional<TensorType> type_from_name(std::string_view name) noexcept {
  for (const TypeInfo& info : kTypes) {
    if (equal_ignoring_case(name, info.name)) return info.type;
  }
  return std::nullopt;
}

std::size_t row_bytes(TensorType type, std::size_t n_cols) noexcept {
  const TypeInfo& info = type_info(type);
  return n_cols / static_cast<std::size_t>(info.block_weights) * static_cast<std::size_t>(info.block_bytes);
}

std::span<const Mix> all_mixes() noexcept { return kMixes; }

std::string_view mix_name(Mix mix) noexcept { return kMixNames[static_cast<std::size_t>(mix)].name; }

Result<Mix> mix_from_name(std::string_view name) {
  std::string names;
  for (const MixName& entry : kMixNames) {
    if (equal_ignoring_case(name, entry.name)) return entry.mix;
    if (!names.empty()) names += ", ";
    names += entry.name;
  }
  return Error{ErrorCode::invalid_argument, "unknown mix of weight types '" + std::string(name) + "'; expected one of " + names};
}

namespace quant {

int type_index(TensorType type) noexcept { return kIndexOfId[static_cast<std::size_t>(type)]; }

void dequantize(TensorType type, const std::byte* blocks, std::span<float> out) noexcept {
  const Format& format = format_of(type);
  format.decode(blocks, out.size() / static_cast<std::size_t>(format.info.block_weights), out.data());
}

bool can_quantize(TensorType type) noexcept { return format_of(type).encode != nullptr; }

void quantize(TensorType type, std::span<const float> x, std::byte* blocks) noexcept {
  const Format& format = format_of(type);
  format.encode(x.data(), x.size() / static_cast<std::size_t>(format.info.block_weights), blocks);
}

} // namespace quant
} // namespace mote

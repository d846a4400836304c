#include "kernels/pack.h"

#include <array>
#include <cstring>

#include "kernels/formats/all.h"
#include "quant/quant.h"

namespace mote::kernels {
namespace {

const uint8_t* as_u8(const std::byte* p) noexcept { return reinterpret_cast<const uint8_t*>(p); }
uint8_t* as_u8(std::byte* p) noexcept { return reinterpret_cast<uint8_t*>(p); }

/// Calls fn(block, header, planes) with the number of each block of a panel and where its parts begin.
template <class Format, class Fn> void each_block(int n_cols, Fn fn) noexcept {
  constexpr FormatLayout kLayout = Format::kLayout;
  constexpr int kHeadersInLine = kLayout.header_bytes > 0 ? 64 / kLayout.header_bytes : 1;
  const std::size_t n_blocks = static_cast<std::size_t>(n_cols / kLayout.block_cols);
  std::size_t header = 0, at = 0;
  for (std::size_t b = 0; b < n_blocks; ++b) {
    if constexpr (kLayout.header_bytes > 0) {
      if (b % kHeadersInLine == 0) {
        header = at;
        at += 64;
      } else {
        header += static_cast<std::size_t>(kLayout.header_bytes);
      }
    }
    fn(b, header, at);
    at += static_cast<std::size_t>(kLayout.plane_bytes);
  }
}

template <class Format> void pack(const uint8_t* rows, int n_rows, int n_cols, uint8_t* panel) noexcept {
  constexpr FormatLayout kLayout = Format::kLayout;
  const std::size_t block_bytes = static_cast<std::size_t>(kLayout.file_block_bytes);
  const std::size_t row_bytes = static_cast<std::size_t>(n_cols / kLayout.block_cols) * block_bytes;
  const std::size_t bytes = panel_size(kLayout, n_cols);
  if (n_rows < kPanelRows || bytes != kPanelRows * row_bytes) std::memset(panel, 0, bytes);
  each_block<Format>(n_cols, [&](std::size_t b, std::size_t header, std::size_t planes) {
    for (int row = 0; row < n_rows; ++row) {
      const uint8_t* block = rows + static_cast<std::size_t>(row) * row_bytes + b * block_bytes;
      Format::pack_block(block, row, panel + header, panel + planes);
    }
  });
}

template <class Format> void unpack(const uint8_t* panel, int row, int n_cols, uint8_t* out) noexcept {
  constexpr std::size_t kBlockBytes = Format::kLayout.file_block_bytes;
  each_block<Format>(n_cols, [&](std::size_t b, std::size_t header, std::size_t planes) {
    Format::unpack_block(panel + header, panel + planes, row, out + b * kBlockBytes);
  });
}

struct Packer {
  FormatLayout layout;
  void (*pack)(const uint8_t* rows, int n_rows, int n_cols, uint8_t* panel) noexcept;
  void (*unpack)(const uint8_t* panel, int row, int n_cols, uint8_t* out) noexcept;
};

template <class... Formats> constexpr std::array<Packer, sizeof...(Formats)> make_packers(FormatList<Formats...>) {
  return {Packer{Formats::kLayout, pack<Formats>, unpack<Formats>}...};
}

const Packer& packer_of(TensorType type) noexcept {
  static constexpr auto kPackers = make_packers(AllFormats{});
  static_assert(kPackers.size() == quant::kNumTypes);
  return kPackers[static_cast<std::size_t>(quant::type_index(type))];
}

} // namespace

std::size_t panel_bytes(TensorType type, int n_cols) noexcept { return panel_size(packer_of(type).layout, n_cols); }

void pack_panel(TensorType type, const std::byte* rows, int n_rows, int n_cols, std::byte* panel) noexcept {
  packer_of(type).pack(as_u8(rows), n_rows, n_cols, as_u8(panel));
}

void unpack_row(TensorType type, const std::byte* panel, int row, int n_cols, std::byte* out) noexcept {
  packer_of(type).unpack(as_u8(panel), row, n_cols, as_u8(out));
}

} // namespace mote::kernels

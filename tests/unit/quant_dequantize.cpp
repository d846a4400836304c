// quant/: blocks to values, against what other programs read from the same bytes. No tolerance: 32-bit patterns.
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "quant/quant.h"
#include "tests/catch.h"
#include "tests/shared_dir.h"

using namespace mote;

namespace {

std::string source_dir() {
#ifdef MOTE_SOURCE_DIR
  return MOTE_SOURCE_DIR;
#else
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().string();
#endif
}

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  INFO(path);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

// Decodes n_values from bytes and compares; returns how many differ. The bytes are first put at an odd address.
std::size_t wrong_values(TensorType type, const char* bytes, std::size_t n_bytes, const char* values, std::size_t n_values) {
  std::vector<std::byte> shifted(n_bytes + 1);
  std::memcpy(shifted.data() + 1, bytes, n_bytes);
  std::vector<float> out(n_values);
  quant::dequantize(type, shifted.data() + 1, out);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < n_values; ++i) {
    if (std::memcmp(&out[i], values + 4 * i, 4) != 0) ++wrong;
  }
  return wrong;
}

} // namespace

TEST_CASE("dequantize: the bits that gguf-py reads", "[quant]") {
  const std::vector<char> file = read_file(source_dir() + "/tests/golden/quant/quant_golden.bin");
  std::set<TensorType> seen;
  std::size_t at = 0;
  while (at < file.size()) {
    std::uint32_t header[4]; // id, weights per block, bytes per block, blocks
    REQUIRE(file.size() - at >= sizeof(header));
    std::memcpy(header, file.data() + at, sizeof(header));
    at += sizeof(header);
    const auto type = type_from_id(header[0]);
    REQUIRE(type);
    const TypeInfo& info = type_info(*type);
    INFO(info.name);
    CHECK(static_cast<std::uint32_t>(info.block_weights) == header[1]);
    CHECK(static_cast<std::uint32_t>(info.block_bytes) == header[2]);
    const std::size_t n_values = std::size_t{header[1]} * header[3];
    const std::size_t n_bytes = std::size_t{header[2]} * header[3];
    REQUIRE(file.size() - at >= n_bytes + 4 * n_values);
    CHECK(wrong_values(*type, file.data() + at, n_bytes, file.data() + at + n_bytes, n_values) == 0);
    at += n_bytes + 4 * n_values;
    CHECK(seen.insert(*type).second);
  }
  CHECK(seen.size() == static_cast<std::size_t>(quant::kNumTypes) - 1); // all but F32
}

TEST_CASE("dequantize: the shared goldens of every format", "[quant]") {
  if (!shared_file("goldens/goldens.json")) return;
  for (const TypeInfo& info : all_types()) {
    if (info.type == TensorType::F32) continue;
    INFO(info.name);
    const std::string stem = (shared_dir() / "goldens" / info.name).string();
    const std::vector<char> blocks = read_file(stem + ".blocks.bin");
    const std::vector<char> values = read_file(stem + ".f32.bin");
    const std::size_t n_values = values.size() / 4;
    REQUIRE(row_bytes(info.type, n_values) == blocks.size());
    CHECK(wrong_values(info.type, blocks.data(), blocks.size(), values.data(), n_values) == 0);
  }
}

TEST_CASE("dequantize: F32 keeps every bit", "[quant]") {
  const std::uint32_t bits[] = {0, 0x80000000, 1, 0x7F800000, 0x7FC12345, 0x3F800000, 0xFF7FFFFF};
  CHECK(wrong_values(TensorType::F32, reinterpret_cast<const char*>(bits), sizeof(bits), reinterpret_cast<const char*>(bits),
                     std::size(bits)) == 0);
}

TEST_CASE("dequantize: a row of no blocks writes nothing", "[quant]") {
  for (const TypeInfo& info : all_types()) quant::dequantize(info.type, nullptr, {});
}

// safetensors files, sound and hostile.
#include "lib/hf/safetensors.h"

#include <limits>

#include "tests/catch.h"
#include "tests/hf_builder.h"

using namespace mote;
using namespace mote::test;

namespace {

std::string entry(std::string_view dtype, std::string_view shape, std::string_view offsets) {
  return "{\"dtype\": \"" + std::string(dtype) + "\", \"shape\": " + std::string(shape) +
         ", \"data_offsets\": " + std::string(offsets) + "}";
}

/// What follows the path in the error of opening these bytes, which must be refused.
std::string refused(const std::string& bytes) {
  const TempDir dir;
  const std::string path = dir.write("model.safetensors", bytes);
  const auto file = hf::open_safetensors(path);
  REQUIRE_FALSE(file);
  CHECK(file.error().code == ErrorCode::bad_file);
  REQUIRE(file.error().message.starts_with(path + ": "));
  return file.error().message.substr(path.size() + 2);
}

} // namespace

TEST_CASE("safetensors: a sound file") {
  const TempDir dir;
  const std::string header = "{\"__metadata__\": {\"format\": \"pt\"}, \"z\": " + entry("F32", "[2, 3]", "[4, 28]") +
                             ", \"a\": " + entry("BF16", "[2]", "[0, 4]") + ", \"mask\": " + entry("BOOL", "[1, 2]", "[28, 30]") +
                             ", \"none\": " + entry("F16", "[0, 5]", "[30, 30]") +
                             ", \"new\": " + entry("F4_X", "[9]", "[30, 31]") + "}  ";
  std::string data(31, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i);
  const auto file = hf::open_safetensors(dir.write("model.safetensors", safetensors_bytes(header, data)));
  if (!file) FAIL(file.error().message);
  CHECK(file->data_start == 8 + header.size());
  REQUIRE(file->tensors.size() == 5);
  const hf::StoredTensor& a = file->tensors[0];
  CHECK(a.name == "a");
  CHECK(a.type == TensorType::BF16);
  CHECK(a.shape == std::vector<std::int64_t>{2});
  CHECK(a.data.size() == 4);
  CHECK(a.data[3] == std::byte{3});
  CHECK(file->tensors[1].name == "mask");
  CHECK_FALSE(file->tensors[1].type);
  CHECK(file->tensors[2].dtype == "F4_X");
  CHECK(file->tensors[3].data.empty());
  CHECK(file->tensors[4].data.front() == std::byte{4});
}

TEST_CASE("safetensors: headers that lie") {
  CHECK(refused("short") == "cut off: 5 bytes, expected 8 and a header");
  std::string huge = safetensors_bytes("{}", "");
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{1} << 40, std::numeric_limits<std::uint64_t>::max()}) {
    std::memcpy(huge.data(), &length, sizeof length);
    CHECK(refused(huge) == "a header of " + std::to_string(length) + " bytes, expected at most 2 bytes");
  }
  CHECK(refused(safetensors_bytes("{\"a\":", "")).starts_with("its header is no JSON: syntax error at byte "));
  CHECK(refused(safetensors_bytes("[]", "")) == "its header is a list of 0, expected an object");
  CHECK(refused(safetensors_bytes(std::string(100000, '['), "")) == "its header nested deeper than 64 levels");

  const auto one = [](const std::string& entry) { return refused(safetensors_bytes("{\"w\": " + entry + "}", "12345678")); };
  const std::string offsets = "tensor \"w\": its data_offsets are missing or no two integers from 0";
  CHECK(one("7") == "tensor \"w\": its dtype is missing");
  CHECK(one("{\"dtype\": \"F32\"}") == "tensor \"w\": its shape is missing or no list of integers from 0");
  for (const char* shape : {"[-1]", "[1.5]", "[\"1\"]", "{}", "[18446744073709551615]"})
    CHECK(one(entry("F32", shape, "[0, 4]")) == "tensor \"w\": its shape is missing or no list of integers from 0");
  for (const char* bad : {"[0]", "[0, 4, 8]", "[-4, 0]", "[0, 1e2]", "null"}) CHECK(one(entry("F32", "[1]", bad)) == offsets);
  CHECK(one(entry("F32", "[1]", "[8, 12]")) ==
        "tensor \"w\": its data_offsets 8 to 12 are no part of the 8 bytes behind the header");
  CHECK(one(entry("F32", "[1]", "[4, 0]")) ==
        "tensor \"w\": its data_offsets 4 to 0 are no part of the 8 bytes behind the header");
  CHECK(one(entry("F32", "[0]", "[9223372036854775807, 9223372036854775807]")).find("are no part of") != std::string::npos);
  CHECK(one(entry("BF16", "[3]", "[0, 4]")) ==
        "tensor \"w\": its shape of BF16 takes 6 bytes, but its data_offsets have 4 bytes");
  CHECK(one(entry("F32", "[4294967296, 4294967296]", "[0, 4]")) ==
        "tensor \"w\": its shape of F32 takes more than 2^63 bytes, but its data_offsets have 4 bytes");
  CHECK(one(entry("I64", "[2]", "[0, 8]")).find("takes 16 bytes") != std::string::npos);

  const std::string first = "{\"a\": " + entry("F16", "[2]", "[0, 4]");
  CHECK(refused(safetensors_bytes(first + ", \"b\": " + entry("F16", "[2]", "[2, 6]") + "}", "12345678")) ==
        "tensor \"b\": its bytes overlap those of tensor \"a\"");
  CHECK(refused(safetensors_bytes(first + ", \"a\": " + entry("F16", "[2]", "[4, 8]") + "}", "12345678")) ==
        "its header the key \"a\" appears twice in an object");
}

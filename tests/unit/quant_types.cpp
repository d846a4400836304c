// quant/types.cpp: what types and mixes are called and how large they are.
#include <set>
#include <string>

#include "mote/types.h"
#include "quant/quant.h"
#include "tests/catch.h"

using namespace mote;

TEST_CASE("types: every type is found by its id, its name and its place", "[quant]") {
  const auto types = all_types();
  REQUIRE(types.size() == static_cast<std::size_t>(quant::kNumTypes));
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const TypeInfo& info = types[i];
    INFO(info.name);
    CHECK(names.insert(info.name).second);
    CHECK(quant::type_index(info.type) == static_cast<int>(i));
    CHECK(&type_info(info.type) == &info);
    CHECK(type_from_id(static_cast<std::uint32_t>(info.type)) == info.type);
    CHECK(type_from_name(info.name) == info.type);
  }
  CHECK(type_from_name("q4_k") == TensorType::Q4_K);
  CHECK(type_from_name("Iq4_nL") == TensorType::IQ4_NL);
  CHECK(type_info(TensorType::Q6_K).name == "Q6_K");
}

TEST_CASE("types: what is not supported is not found", "[quant]") {
  // Q8_1 and Q8_K exist only in memory; 4 and 5 are withdrawn; 40 and above are newer than this library.
  for (const std::uint32_t id : {4u, 5u, 9u, 15u, 16u, 29u, 31u, 38u, 40u, 256u, 0x80000002u, 0xFFFFFFFFu}) {
    INFO(id);
    CHECK_FALSE(type_from_id(id).has_value());
  }
  for (const char* name : {"", "Q4", "Q4_K ", "Q4_K_M", "Q8_K", "q4-k"}) {
    INFO(name);
    CHECK_FALSE(type_from_name(name).has_value());
  }
}

TEST_CASE("types: sizes of rows", "[quant]") {
  CHECK(row_bytes(TensorType::F32, 7) == 28);
  CHECK(row_bytes(TensorType::BF16, 7) == 14);
  CHECK(row_bytes(TensorType::Q8_0, 96) == 102);
  CHECK(row_bytes(TensorType::MXFP4, 64) == 34);
  CHECK(row_bytes(TensorType::Q4_K, 512) == 288);
  CHECK(row_bytes(TensorType::Q6_K, 0) == 0);
  CHECK(row_bytes(TensorType::Q6_K, std::size_t{1} << 40) == (std::size_t{1} << 32) * 210); // beyond 32 bits
}

TEST_CASE("types: what can be written", "[quant]") {
  for (const TypeInfo& info : all_types()) {
    INFO(info.name);
    const bool read_only = info.type == TensorType::Q2_K || info.type == TensorType::IQ4_NL || info.type == TensorType::IQ4_XS ||
                           info.type == TensorType::MXFP4;
    CHECK(quant::can_quantize(info.type) != read_only);
  }
}

TEST_CASE("mixes: found by name, listed when not", "[quant]") {
  REQUIRE(all_mixes().size() == 9);
  for (const Mix mix : all_mixes()) {
    INFO(mix_name(mix));
    const auto found = mix_from_name(mix_name(mix));
    REQUIRE(found);
    CHECK(*found == mix);
  }
  CHECK(mix_name(Mix::Q4_K_M) == "Q4_K_M");
  CHECK(*mix_from_name("q3_k_m") == Mix::Q3_K_M);
  const auto unknown = mix_from_name("Q4_K");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ErrorCode::invalid_argument);
  CHECK(unknown.error().message ==
        "unknown mix of weight types 'Q4_K'; expected one of F32, F16, Q8_0, Q6_K, Q5_K_M, Q4_K_M, Q4_K_S, Q3_K_M, Q4_0");
}

// Which instruction set is chosen: by name, by what the machine says of itself, by MOTE_ISA.
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "mote/isa.h"
#include "tests/catch.h"

using mote::ErrorCode;
using mote::Isa;
using mote::kernels::can_run;
using mote::kernels::choose_isa;
using mote::kernels::CpuState;

namespace {

// Bits as the processor's manuals number them.
constexpr std::uint32_t kLeaf1 = 1u << 12 | 1u << 28 | 1u << 29;                                        // FMA, AVX, F16C
constexpr std::uint32_t kLeaf7Avx2 = 1u << 5, kLeaf7Avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; // F, DQ, BW, VL
constexpr std::uint32_t kVnni = 1u << 11, kAvxVnni = 1u << 4; // leaf 7: ecx, eax of subleaf 1
constexpr CpuState kOld{}, kHaswell{kLeaf1, kLeaf7Avx2, 0, 0, 7}, kAlderLake{kLeaf1, kLeaf7Avx2, kVnni, kAvxVnni, 7},
    kSkylakeX{kLeaf1, kLeaf7Avx2 | kLeaf7Avx512, 0, 0, 0xe7}, kZen4{kLeaf1, kLeaf7Avx2 | kLeaf7Avx512, kVnni, 0, 0xe7},
    kSapphireRapids{kLeaf1, kLeaf7Avx2 | kLeaf7Avx512, kVnni, kAvxVnni, 0xe7};

constexpr Isa kEvery[] = {Isa::scalar, Isa::avx2, Isa::avx_vnni, Isa::avx512, Isa::neon, Isa::neon_dotprod, Isa::neon_i8mm};
constexpr const char* kNames[] = {"scalar", "avx2", "avx-vnni", "avx512", "neon", "neon-dotprod", "neon-i8mm"};

bool has(Isa isa) {
  for (Isa each : mote::all_isas())
    if (each == isa) return true;
  return false;
}

} // namespace

TEST_CASE("isa: names and back") {
  for (std::size_t i = 0; i < std::size(kEvery); ++i) {
    REQUIRE(mote::isa_name(kEvery[i]) == kNames[i]);
    const auto back = mote::isa_from_name(kNames[i]);
    REQUIRE(back);
    REQUIRE(*back == kEvery[i]);
  }
  REQUIRE(mote::isa_name(static_cast<Isa>(std::size(kEvery))) == "unknown");
  for (const char* name : {"", "AVX2", "avx", "avx512 ", "avx_vnni", "neon_dotprod", "unknown"}) {
    const auto result = mote::isa_from_name(name);
    REQUIRE_FALSE(result);
    REQUIRE(result.error().code == ErrorCode::invalid_argument);
    for (const char* known : kNames) REQUIRE(result.error().message.find(known) != std::string::npos);
  }
}

TEST_CASE("isa: scalar is always there, and what is available has kernels of that name") {
  REQUIRE(has(Isa::scalar));
  REQUIRE(mote::isa_available(Isa::scalar));
  for (Isa isa : kEvery) {
    const auto table = mote::kernels::kernels_for(isa);
    REQUIRE(table.has_value() == mote::isa_available(isa));
    if (table) {
      REQUIRE(has(isa));
      REQUIRE((*table)->name == mote::isa_name(isa));
      for (const auto& mul_mat : (*table)->mul_mat) REQUIRE(mul_mat != nullptr);
      REQUIRE((*table)->quantize_row != nullptr);
    } else {
      REQUIRE(table.error().code == ErrorCode::unsupported);
      REQUIRE(table.error().message.find(mote::isa_name(isa)) != std::string::npos);
    }
  }
}

#ifdef MOTE_HAVE_X86
TEST_CASE("isa: every instruction and every register must be there") {
  REQUIRE(can_run(Isa::scalar, kOld));
  REQUIRE_FALSE(can_run(Isa::avx2, kOld));
  REQUIRE(can_run(Isa::avx2, kHaswell));
  REQUIRE_FALSE(can_run(Isa::avx512, kHaswell));
  REQUIRE(can_run(Isa::avx2, kZen4));
  REQUIRE(can_run(Isa::avx512, kZen4));
  REQUIRE_FALSE(can_run(Isa::avx512, kSkylakeX)); // no VNNI
  for (const CpuState& state : {kOld, kHaswell, kSkylakeX, kZen4}) REQUIRE_FALSE(can_run(Isa::avx_vnni, state));
  for (const CpuState& state : {kAlderLake, kSapphireRapids}) REQUIRE(can_run(Isa::avx_vnni, state));
  for (const CpuState& state : {kOld, kZen4}) REQUIRE_FALSE(can_run(Isa::neon, state));

  for (std::uint32_t bit = 1; bit != 0; bit <<= 1) { // each needed bit by itself
    CpuState state = kZen4;
    state.leaf1_ecx &= ~bit;
    REQUIRE(can_run(Isa::avx2, state) == ((kLeaf1 & bit) == 0));
    REQUIRE(can_run(Isa::avx512, state) == ((kLeaf1 & bit) == 0));
    state = kZen4;
    state.leaf7_ebx &= ~bit;
    REQUIRE(can_run(Isa::avx2, state) == ((kLeaf7Avx2 & bit) == 0));
    REQUIRE(can_run(Isa::avx512, state) == (((kLeaf7Avx2 | kLeaf7Avx512) & bit) == 0));
    state = kZen4;
    state.leaf7_ecx &= ~bit;
    REQUIRE(can_run(Isa::avx2, state));
    REQUIRE(can_run(Isa::avx512, state) == ((kVnni & bit) == 0));
    state = kSapphireRapids;
    state.leaf7_1_eax &= ~bit;
    REQUIRE(can_run(Isa::avx2, state));
    REQUIRE(can_run(Isa::avx512, state));
    REQUIRE(can_run(Isa::avx_vnni, state) == ((kAvxVnni & bit) == 0));
  }
  for (std::uint64_t xcr0 : {0u, 1u, 3u, 5u}) { // the system does not save all of the ymm registers
    CpuState state = kSapphireRapids;
    state.xcr0 = xcr0;
    REQUIRE_FALSE(can_run(Isa::avx2, state));
    REQUIRE_FALSE(can_run(Isa::avx_vnni, state));
    REQUIRE_FALSE(can_run(Isa::avx512, state));
  }
  for (std::uint64_t xcr0 : {0x07u, 0x27u, 0x67u, 0xa7u, 0xc7u}) { // ymm, but not all of the mask and zmm registers
    CpuState state = kSapphireRapids;
    state.xcr0 = xcr0;
    REQUIRE(can_run(Isa::avx2, state));
    REQUIRE(can_run(Isa::avx_vnni, state));
    REQUIRE_FALSE(can_run(Isa::avx512, state));
  }
}

TEST_CASE("isa: the best one by default, MOTE_ISA over it, an error when it cannot be") {
  for (const char* unset : {static_cast<const char*>(nullptr), ""}) {
    REQUIRE(*choose_isa(unset, kOld) == Isa::scalar);
    REQUIRE(*choose_isa(unset, kHaswell) == Isa::avx2);
    REQUIRE(*choose_isa(unset, kSkylakeX) == Isa::avx2); // AVX-512 without VNNI
    REQUIRE(*choose_isa(unset, kAlderLake) == Isa::avx_vnni);
    REQUIRE(*choose_isa(unset, kZen4) == Isa::avx512);
    REQUIRE(*choose_isa(unset, kSapphireRapids) == Isa::avx512);
  }
  REQUIRE(*choose_isa("scalar", kZen4) == Isa::scalar);
  REQUIRE(*choose_isa("avx2", kZen4) == Isa::avx2);
  REQUIRE(*choose_isa("avx512", kZen4) == Isa::avx512);

  const auto unable = choose_isa("avx512", kHaswell);
  REQUIRE_FALSE(unable);
  REQUIRE(unable.error().code == ErrorCode::unsupported);
  REQUIRE(unable.error().message.find("MOTE_ISA") != std::string::npos);
  REQUIRE(unable.error().message.find("VNNI") != std::string::npos);
  const auto unknown = choose_isa("sse9", kZen4);
  REQUIRE_FALSE(unknown);
  REQUIRE(unknown.error().code == ErrorCode::invalid_argument);
  REQUIRE(unknown.error().message.find("MOTE_ISA") != std::string::npos);
  REQUIRE(unknown.error().message.find("sse9") != std::string::npos);
}

TEST_CASE("isa: what this machine says agrees with the compiler's own check") {
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    REQUIRE(mote::isa_available(Isa::avx512));
  if (!__builtin_cpu_supports("avx2")) REQUIRE_FALSE(mote::isa_available(Isa::avx2));
  if (!__builtin_cpu_supports("avx512f")) REQUIRE_FALSE(mote::isa_available(Isa::avx512));
}
#endif

#ifdef MOTE_HAVE_ARM
TEST_CASE("isa: what ARM processors and systems say") {
  constexpr std::uint64_t kAsimdDp = 1u << 20, kI8mm = 1u << 13; // bits of hwcap, of hwcap2
  CpuState old, dotprod, i8mm, odd;
  dotprod.hwcap = i8mm.hwcap = kAsimdDp;
  i8mm.hwcap2 = odd.hwcap2 = kI8mm; // odd: products of matrices without dot products
  REQUIRE(*choose_isa(nullptr, old) == Isa::neon);
  REQUIRE(*choose_isa(nullptr, dotprod) == Isa::neon_dotprod);
  REQUIRE(*choose_isa(nullptr, i8mm) == Isa::neon_i8mm);
  REQUIRE(*choose_isa(nullptr, odd) == Isa::neon);
  REQUIRE(*choose_isa("neon", i8mm) == Isa::neon);
  REQUIRE(*choose_isa("scalar", i8mm) == Isa::scalar);
  for (const Isa isa : {Isa::avx2, Isa::avx_vnni, Isa::avx512}) REQUIRE_FALSE(can_run(isa, i8mm));
  const auto unable = choose_isa("neon-i8mm", dotprod);
  REQUIRE_FALSE(unable);
  REQUIRE(unable.error().code == ErrorCode::unsupported);
  REQUIRE(unable.error().message.find("MOTE_ISA") != std::string::npos);
}
#endif
